"""The few gates between a plan and Heap.

Each is declared somewhere an analyst can read, and shown in the plan.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pipelines.heap.ledger import Ledger
from pipelines.heap.marts import HeapModel
from pipelines.heap.warehouse import Warehouse
from pipelines.sql import read_sql

SQL = Path(__file__).with_name("sql")

SEGMENT_PREFIX = "cio_seg_"
"""How the contract spells a segment version as a user property: `cio_seg_<key>_v<n>`."""


@dataclass(frozen=True)
class Gate:
    """One check: its name, whether it lets the plan through, and a sentence for people."""

    name: str
    is_open: bool
    sentence: str


def match_rate_gate(warehouse: Warehouse) -> Gate:
    """Every workspace is matched (or, without Heap Connect, identifiable) as well as declared.

    The least rate is the var `identity_minimum_rate`, as the build judged it.
    """
    name = "match rate"
    relation = warehouse.require(
        "fct_identity_match_rate",
        "workspace_id", "match_rate", "identifiable_rate", "minimum_rate", "is_met",
    )  # fmt: skip
    found = warehouse.db.execute(read_sql(SQL / "match_rates.sql", rates=relation)).fetchall()
    persons = warehouse.require("dim_persons")
    if not found and warehouse.db.execute(f"select 1 from {persons} limit 1").fetchall():
        return Gate(
            name,
            False,
            "There are persons and no match rate, so nothing was judged: run `counterfoil build`.",
        )
    judged = [
        (f"workspace {w}: {rate:.1%} {'matched' if matched else 'identifiable'}", least, is_met)
        for w, matched, rate, least, is_met in found
        if rate is not None and least is not None
    ]
    if not judged:
        return Gate(name, True, "No workspace has a match rate, so nothing was judged.")
    low = [f"{said}, needs {least:.0%}" for said, least, is_met in judged if not is_met]
    if low:
        return Gate(
            name,
            False,
            f"The match rate is too low ({'; '.join(low)}): see `counterfoil identity check`, or "
            "lower identity_minimum_rate in dbt_project.yml.",
        )
    return Gate(name, True, "; ".join(said for said, _, _ in judged) + ".")


def budget_gate(
    ledger: Ledger, warehouse: Warehouse, target: str | None, planned: int, now: datetime
) -> Gate:
    """The month's events, with those of the plan, stay within the declared budget."""
    month = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    used = int(
        ledger.value(
            "select count(*) from receipts where target = ? and acknowledged_at >= ?",
            [target, month],
        )
        or 0
    )
    limits = warehouse.require("heap_budget", "budget", "most")
    budget: int | None = ledger.value(
        f"select most from {limits} where budget = 'events per month'"
    )
    if budget is None:
        return Gate(
            "event budget", True, f"{used + planned:,} events this month; no budget is declared."
        )
    if used + planned > budget:
        return Gate(
            "event budget",
            False,
            f"The plan needs {planned:,} events and {max(budget - used, 0):,} of this month's "
            f"{budget:,} are left: raise heap_events_per_month in dbt_project.yml, or wait.",
        )
    return Gate("event budget", True, f"{used + planned:,} of {budget:,} events this month.")


def new_identity_gate(model: HeapModel, count: int) -> Gate:
    """A model invents no more users in Heap than it declares."""
    name = f"new identities of {model.title}"
    most = model.max_new_identities
    if most is None:
        return Gate(name, True, f"{count:,} identities are new to Heap; no maximum is declared.")
    if count > most:
        return Gate(
            name,
            False,
            f"{model.name} would create up to {count:,} users in Heap and allows {most:,}: check "
            "the identities, or raise max_new_identities in the model's yml.",
        )
    return Gate(name, True, f"{count:,} of at most {most:,} identities are new to Heap.")


def segment_gate(warehouse: Warehouse, models: Iterable[HeapModel], as_of: datetime) -> Gate:
    """Every exported segment version is a user property, not only a stamp on events."""
    name = "exported segments"
    current, _ = segment_versions(warehouse, as_of)
    held = [p for model in models if model.kind == "user_properties" for p in model.properties]
    missing = [s for s in current if SEGMENT_PREFIX + s not in held]
    if missing:
        return Gate(
            name,
            False,
            f"The exported segment {missing[0]} is no user property: add its column to the "
            "user properties model, or set is_exported to false in the segment's yml.",
        )
    return Gate(name, True, f"{len(current)} exported segments are user properties.")


def segment_versions(warehouse: Warehouse, as_of: datetime) -> tuple[list[str], list[str]]:
    """Suffixes `<key>_v<n>` of exported versions that hold at `as_of`, and of retired ones."""
    relation = warehouse.require(
        "dim_segment_versions", "segment_key", "version", "is_exported", "valid_to"
    )
    found = warehouse.db.execute(
        read_sql(SQL / "segment_versions.sql", versions=relation, as_of=f"timestamp '{as_of}'")
    ).fetchall()
    current = [suffix for suffix, exported, retired in found if exported and not retired]
    retired = [suffix for suffix, _, is_retired in found if is_retired]
    return current, retired
