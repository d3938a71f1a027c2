"""What a message is worth: which rows of the marts stand in the section of that name, in which order."""

from __future__ import annotations

from pipelines.built.tables import Record
from pipelines.review import words
from pipelines.review.gather import Review

FINDINGS = {"adds": 0, "costs": 1, "not distinguishable from zero": 2, "no headline": 3}
"""What was found before what was not; what is only described comes last."""


def told(review: Review) -> Record:
    """The rows of the section, by its parts."""
    cells = _cells(review)
    return {
        "held_out": [row for row in cells if row["basis"] == "held out"],
        "described": [row for row in cells if row["basis"] == "described"],
    }


def _cells(review: Review) -> list[Record]:
    """Conversion by timing and state: claims first, then by the size of the cell."""
    rows = [
        {**row, "title": _message(row), "who": _state(row)}
        for row in review.optional.get("fct_conversion_by_timing") or []
    ]
    return sorted(
        rows,
        key=lambda row: (
            FINDINGS.get(row["finding"], len(FINDINGS)),
            row["title"],
            row["timing_number"],
            row["state_kind"],
            -row["count_units"],
        ),
    )


def _message(row: Record) -> str:
    journey = row["journey_name"] or f"Journey {row['journey_id']}"
    name = f"{journey}: {row['message_name'] or row['message_id']}"
    return words.clean(name if row["arm"] is None else f"{name} ({row['arm']})")


def _state(row: Record) -> str:
    """The state before the message, in words."""
    if row["state_kind"] == "everybody":
        return "everybody"
    return f"{words.plain(row['state_kind']).lower()} {words.clean(row['state'])}"
