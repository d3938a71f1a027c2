"""How things stand after a run, and as they were told last: keys of ours and words, nobody."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from pipelines.home import private, replacing
from pipelines.settings import Settings

FILE = "notice.json"

STEPS = {
    "load": "it stopped while loading",
    "build": "it stopped while building",
    "told": "it stopped at Heap",
    "review": "it stopped while writing the page",
    "checklist": "it stopped while measuring the checklist",
}
"""Facts that a run records, in its order, and what is said when it ends before one of them."""

REFUSED = "Heap refused rows: see `counterfoil deadletters list`"
UNREAD = "some files or lines could not be read; the rest was done"


@dataclass(frozen=True)
class Standing:
    """What a message compares.

    Attributes:
        verdicts: by `experiment/arm`, what the page says without its numbers.
        failing: the lines of the checklist that fail, title by name.
        trouble: why the run did not end well; None when it did.
    """

    verdicts: dict[str, str] = field(default_factory=dict)
    failing: dict[str, str] = field(default_factory=dict)
    trouble: str | None = None


def standing_after(result: dict[str, Any], failed: bool, before: Standing) -> Standing:
    """How things stand after a run; what it did not come to is as it was before.

    Args:
        result: the facts that the run recorded, as --json prints them.
        failed: whether it ended in an error.
    """
    verdicts, failing = before.verdicts, before.failing
    if "review" in result:
        verdicts = dict(result["review"]["verdicts"])
    if "checklist" in result:
        lines = result["checklist"]["lines"]
        failing = {line["name"]: line["title"] for line in lines if line["verdict"] == "fail"}
    return Standing(verdicts, failing, _trouble(result) if failed else None)


def _trouble(result: dict[str, Any]) -> str:
    """What went wrong, never in the words of the error: these may name a file or a folder."""
    if result.get("publish", {}).get("count_dead_letters") and "review" not in result:
        return REFUSED
    done = result | ({"told": True} if {"plan", "publish"} & set(result) else {})
    return next((said for step, said in STEPS.items() if step not in done), UNREAD)


def read_standing(settings: Settings) -> Standing:
    """As it was told last; nothing where nothing was, or where it cannot be read."""
    try:
        told = json.loads(_path(settings).read_text(encoding="utf-8"))
        return Standing(dict(told["verdicts"]), dict(told["failing"]), told["trouble"])
    except (OSError, ValueError, TypeError, KeyError):
        return Standing()


def keep_standing(settings: Settings, standing: Standing) -> None:
    """Keep what was told, for the next run.

    Raises:
        CounterfoilError: the state folder cannot be written.
    """
    text = json.dumps(asdict(standing), indent=1, sort_keys=True)
    with (
        private(settings.home),
        replacing(_path(settings), lambda _: True, "what was told last") as out,
    ):
        out.write(f"{text}\n".encode())


def _path(settings: Settings) -> Path:
    return settings.home / FILE
