"""What a message is worth: which rows of the marts stand in that section, in which order."""

from __future__ import annotations

from pipelines.built.tables import Record
from pipelines.review import words
from pipelines.review.gather import Review

FINDINGS = {"adds": 0, "costs": 1, "not distinguishable from zero": 2, "no headline": 3}
"""What was found before what was not; what is only described comes last."""

TOLD_BY = ("everybody", "shipping_rates")
"""States by which the page tells every cell; by tier only a finding, the others are in the JSON."""


def told(review: Review) -> Record:
    """The rows of the section, by its parts."""
    cells = _cells(review)
    return {
        "held_out": [
            row
            for row in cells
            if row["basis"] == "held out"
            and (row["state_kind"] in TOLD_BY or row["finding"] in ("adds", "costs"))
        ],
        "described": [
            row for row in cells if row["basis"] == "described" and row["state_kind"] in TOLD_BY
        ],
        "values": _titled(review, "fct_message_value"),
        "credits": [
            {**row, "title": _journey(row)}
            for row in review.optional.get("fct_credit_over_cause") or []
        ],
        "reminders": review.optional.get("fct_replenishment_effects") or [],
        "audiences": review.optional.get("fct_triage_audiences") or [],
        "predictions": review.optional.get("fct_intent_prediction") or [],
        "levels": _levels(review),
        "doses": _doses(review),
    }


def _titled(review: Review, mart: str) -> list[Record]:
    """The rows of a mart as it orders them, each with its message in words."""
    return [{**row, "title": _message(row)} for row in review.optional.get(mart) or []]


def _levels(review: Review) -> list[Record]:
    """The lift table of the workspaces whose prediction may be told; the others' is in the JSON."""
    predictions = review.optional.get("fct_intent_prediction") or []
    told = {row["workspace_id"] for row in predictions if row["area"] is not None}
    return [
        row for row in review.optional.get("fct_intent_lift") or [] if row["workspace_id"] in told
    ]


def _doses(review: Review) -> list[Record]:
    """Arms of which some dose can be told beside the lowest; those that refuse are in the JSON."""
    rows = review.optional.get("fct_pressure_by_dose") or []
    keys = ("workspace_id", "journey_id", "experiment_key", "arm")
    risen = {tuple(row[key] for key in keys) for row in rows if row["rise"] is not None}
    return [
        {**row, "title": _journey(row)} for row in rows if tuple(row[key] for key in keys) in risen
    ]


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


def _journey(row: Record) -> str:
    name = words.journey(row)
    return name if row["arm"] is None else words.clean(f"{name} ({row['arm']})")


def _message(row: Record) -> str:
    return f"{_journey(row)}: {words.clean(row['message_name'] or row['message_id'])}"


def _state(row: Record) -> str:
    """The state before the message, in words."""
    if row["state_kind"] == "everybody":
        return "everybody"
    return f"{words.plain(row['state_kind']).lower()} {words.clean(row['state'])}"
