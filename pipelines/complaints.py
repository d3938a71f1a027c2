"""What dbt or the engine complains of, in a sentence that a person can act on."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from pipelines.errors import CounterfoilError
from pipelines.settings import Settings

ADDRESS = re.compile(r"[^\s@'\"]+@[^\s@'\"]+")  # what an error may never show


SENTENCES = {
    "not a valid DuckDB database": "warehouse.duckdb is damaged, or no database: "
    "`counterfoil build --full-refresh` makes a new one from what was loaded.",
    "No space left": "The disk is full: free some space for the state folder (COUNTERFOIL_HOME); a "
    "build needs as much again as warehouse.duckdb.",
    "Permission denied": "The state folder cannot be written: check its permissions or set "
    "COUNTERFOIL_HOME.",
    "Out of Memory": "The build needs more than {memory_limit} of memory: raise "
    "COUNTERFOIL_MEMORY_LIMIT.",
}
"""What a person can act on, by what the engine says."""


def explain_nodes(settings: Settings, warehouse: Path, failed: list[Any]) -> CounterfoilError:
    """The first of the nodes that failed in the written database, and how many more did."""
    from pipelines.laws import broken_law

    first = failed[0]
    kind = str(first.node.resource_type)
    rest = f" and {len(failed) - 1} more" if len(failed) > 1 else ""
    if kind == "test" and str(first.status) == "fail":
        sentence = ADDRESS.sub("(an address)", broken_law(warehouse, first))
    else:
        sentence = explain(settings, str(first.message or "")).args[0]
        described = (getattr(first.node, "description", "") or "").strip()
        rest += f" ({described})" if described and kind == "unit_test" else ""
    return CounterfoilError(
        f"The build failed at {kind.replace('_', ' ')} `{first.node.name}`{rest}: {sentence}"
    )


def explain(settings: Settings, message: str) -> CounterfoilError:
    """Turn what the engine says into a sentence a person can act on."""
    if "Could not set lock" in message or "Conflicting lock" in message:
        holder = _between(message, "(PID ", ")")
        who = f"process {holder}" if holder else "another program"
        return CounterfoilError(
            f"The warehouse is open in {who}: close it, or wait until it has finished."
        )
    for said, sentence in SENTENCES.items():
        if said in message.replace("Out of disk", "No space left"):
            return CounterfoilError(sentence.format(memory_limit=settings.memory_limit))
    if "check_segments" in message:
        said_lines = [line.strip() for line in message.splitlines() if line.strip()]
        passing = ("Compilation Error", "Encountered an error", ">")
        return CounterfoilError(" ".join(ln for ln in said_lines if not ln.startswith(passing)))
    return CounterfoilError(first_sentence(message))


def first_sentence(message: str) -> str:
    """The beginning of what was said, without addresses."""
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    return ADDRESS.sub("(an address)", " ".join(lines[:3])[:400]) or "run it with --verbose"


def _between(text: str, before: str, after: str) -> str:
    return text.partition(before)[2].partition(after)[0]
