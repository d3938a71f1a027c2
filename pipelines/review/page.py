"""Writes the weekly page and its JSON: the same tables, the same bytes."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from pipelines.built.tables import Record
from pipelines.destinations import destination
from pipelines.errors import CounterfoilError
from pipelines.home import private
from pipelines.review import cards, charts, sections, words, worth
from pipelines.review.gather import Review, gather
from pipelines.review.legend import Legend
from pipelines.review.numbers import name_of
from pipelines.review.verdicts import (
    do_not_read,
    said_briefly,
    status_counts,
    verdicts,
    without_control,
)
from pipelines.settings import Settings

TEMPLATES = Path(__file__).parent

MARTS = {
    "fct_journey_credit": "Credit beside cause",
    "fct_effect_on_the_reached": "The effect on those reached",
    "fct_checkout_funnel": "The checkout step where people drop",
    "fct_message_timing": "Conversion by message timing",
    "fct_conversion_by_timing": "Conversion by timing and state",
    "fct_message_value": "What a message brings beyond its cost",
    "fct_credit_over_cause": "Credit over cause",
    "fct_replenishment_effects": "What reminders move",
    "fct_triage_audiences": "The triage as audiences",
    "fct_intent_prediction": "What predicts orders",
    "fct_intent_lift": "Orders by what predicts them",
    "fct_pressure_by_dose": "Who leaves at which dose",
    "fct_message_pressure": "The price of pressure",
    "fct_replenishment_windows": "Replenishment windows",
    "fct_reactivation_triage": "Reactivation triage",
    "fct_input_gaps": "Gaps in what comes in",
    "fct_lift_history": "Estimates of earlier weeks",
    "fct_review_arm_match_rates": "Match rate by arm",
}
"""What the page says is not there when the mart is not built."""

TRIAGE_ROWS = 12

LONGEST_FIGURE = 120
"""A figure with a longer name shows none; it has one all the same."""

STATUS_WORDS = {
    "ok": "Enough people, every check passed. The interval may be read.",
    "underpowered": "Fewer people than planned have completed their window. The interval is right, "
    "and wide.",
    "insufficient": "Nothing can be said yet, so no lift is shown. The counts stay.",
    "invalid": "A check failed that would bend the estimate, so there is none. Mend the cause.",
}


@dataclass(frozen=True)
class Page:
    """A written page.

    Attributes:
        html, json: where it was written.
        week: the week under review, in words.
        statuses: how many experiments have each status, and journeys without a control.
        verdicts: what each experiment's arm may say, without numbers, by `experiment/arm`.
        decisions: how many journeys have each decision, the most urgent first.
        findings: one line a journey, the most urgent first.
    """

    html: Path
    json: Path
    as_of: datetime
    week: str
    statuses: tuple[tuple[str, int], ...]
    decisions: tuple[tuple[str, int], ...]
    findings: tuple[str, ...]
    verdicts: dict[str, str]

    def facts(self) -> dict[str, object]:
        """What --json prints."""
        return {
            "page": str(self.html),
            "json": str(self.json),
            "as_of": self.as_of,
            "statuses": dict(self.statuses),
            "verdicts": self.verdicts,
        }

    def text(self) -> str:
        """One line about the file, and one per journey."""
        counted = ", ".join(f"{number} {what.lower()}" for what, number in self.decisions)
        head = f"Reviewed {self.week}: {counted or 'no journey to decide on'}. {self.html}"
        return "\n".join([head, *(f"  {line}" for line in self.findings)])


def write_page(settings: Settings) -> Page:
    """Write `reviews/review-<as_of>.html` and `.json` in the state folder.

    Raises:
        CounterfoilError: nothing was built, the warehouse is being written, or the folder
            cannot be written.
    """
    review = gather(settings)
    stem = stem_of(review.as_of)
    html, data = settings.reviews_dir / f"{stem}.html", settings.reviews_dir / f"{stem}.json"
    try:
        with private(settings.home):
            settings.reviews_dir.mkdir(parents=True, exist_ok=True)
            _replace(html, render(review, data.name))
            _replace(data, as_json(review))
    except OSError as error:
        raise CounterfoilError(
            f"The review cannot be written ({error.strerror}): check the permissions of "
            "the state folder (COUNTERFOIL_HOME) and its disk."
        ) from error
    return Page(
        html,
        data,
        review.as_of,
        sections.week_of(review),
        tuple(status_counts(review)),
        tuple((words.short(decision), number) for decision, number in cards.counted(review)),
        tuple(cards.lines(review)),
        dict(said_briefly(verdict) for verdict in verdicts(review)),
    )


def stem_of(as_of: datetime) -> str:
    """The name of the page of an instant, without what its files end in."""
    is_midnight = (as_of.hour, as_of.minute, as_of.second) == (0, 0, 0)
    return f"review-{as_of:%Y-%m-%d}" + ("" if is_midnight else f"T{as_of:%H%M}")


def render(review: Review, json_name: str) -> str:
    """The page as HTML text. Every value of the data is escaped."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters = (
        "clean count share metric_value difference amount probability times day moment duration "
        "plain money channel spelled several odds short weeks"
    )
    environment.filters.update({name: getattr(words, name) for name in filters.split()})
    environment.filters["destination"] = destination
    text = environment.get_template("page.html.j2").render(
        review=review,
        css=Markup((TEMPLATES / "page.css").read_text(encoding="utf-8")),
        json_name=json_name,
        **_context(review),
    )
    return "\n".join(line.rstrip() for line in text.splitlines() if line.strip()) + "\n"


def as_json(review: Review) -> str:
    """Every number of the page and more, unrounded, with names and ids as they are."""
    found = dataclasses.asdict(review)
    del found["checks"]
    found["rules"] = {
        "week": "the 7 days before as_of, beside the 7 days before them",
        "experiments": "cumulative, people whose window is complete",
    }
    return json.dumps(found, indent=1, sort_keys=True, default=_plain_value, ensure_ascii=False)


def _context(review: Review) -> dict[str, Any]:
    money = words.currency(review.costs)
    told = verdicts(review)
    bare = without_control(review)
    contrasts = sections.contrasts(review)
    forest = sections.forest(review)
    triage = review.optional.get("fct_reactivation_triage") or []
    others = [
        row
        for row in review.other_messages
        if any(row[name] for name in row if name.endswith("_week"))
    ]
    return {
        "week": sections.week_of(review),
        "previous_week": sections.previous_week_of(review),
        "brands": sections.brands(review),
        "currency": money,
        "motions": cards.by_motion(review),
        "counted": cards.counted(review),
        "marks": cards.definition_marks(review),
        "legend": Legend(review.checks),
        "verdicts": told,
        "bare": [{**journey, "name": words.journey(journey)} for journey in bare],
        "forest": forest,
        "forest_summary": _forest_summary(forest),
        "contrasts": contrasts,
        "contrasts_summary": _contrasts_summary(contrasts),
        "journeys": [
            _journey(review, journey, told)
            for journey in review.journeys
            if sections.is_active(journey)
        ],
        "idle": [words.journey(j) for j in review.journeys if not sections.is_active(j)],
        "other_messages": others,
        "parity": {row["audience_key"]: row for row in review.audience_parity},
        "held_out_since": {
            row["audience_key"]: row["count_people"] for row in review.held_out_since
        },
        "health": sections.health(review),
        "arms": sections.arms(review),
        "adequacy": sections.adequacy(review),
        "timelines": [_timeline(line, money) for line in sections.timelines(review)],
        "strata": sections.strata(review),
        "changes": sections.changes(review),
        "do_not_read": do_not_read(review),
        "dead_letters": sum(
            row["count_rows"]
            for row in (review.heap or {}).get("dead_letters", [])
            if row["status"] != "resolved"
        ),
        "pressure": sections.pressure(review),
        "worth": worth.told(review),
        "windows": review.optional.get("fct_replenishment_windows") or [],
        "triage": triage,
        "triage_rows": TRIAGE_ROWS,
        "several_workspaces": len({row["workspace_id"] for row in triage}) > 1,
        "marts": MARTS,
        "not_built": [name for name in MARTS if name in review.missing],
        "statuses": words.STATUS,
        "status_words": STATUS_WORDS,
        "populations": words.POPULATIONS,
        "checks": review.checks,
        "interval": words.interval,
        "amounts": words.amounts,
        "change": words.change,
        "named": _first_names(),
        "strip": charts.strip,
        "ticks": charts.ticks,
        "points": lambda number: f"{words.signed(100 * number, 1)}".removesuffix(".0"),
        "ratio_strip": charts.ratio_strip,
        "ratio_ticks": charts.ratio_ticks,
    }


def _first_names() -> Callable[[str, Record | None, str], str]:
    """What `explain number` calls a figure: of each row the one that the page tells first.

    The row's other figures are called the same but for the last part. Empty where nobody would
    want to read it.
    """
    told: set[str] = set()

    def named(family: str, row: Record | None, column: str) -> str:
        if not row or column not in row:
            return ""
        name = name_of(family, row, column)
        row_name = name.rpartition("/")[0]
        if row_name in told or len(name) > LONGEST_FIGURE:
            return ""
        told.add(row_name)
        return name

    return named


def _journey(review: Review, journey: Record, told: list[Record]) -> Record:
    name = words.journey(journey)
    own = [
        verdict
        for verdict in told
        if verdict["experiment"]["experiment_key"] in journey["experiment_keys"]
    ]
    timings = sections.timings(review, journey)
    return {
        **journey,
        "name": name,
        "verdicts": own,
        "tiles": [
            row
            for row in review.tiles
            if (row["workspace_id"], row["journey_id"])
            == (journey["workspace_id"], journey["journey_id"])
        ],
        "reasons_week": [row for row in journey["reasons"] if row["count_week"]],
        "funnels": sections.funnels(review, journey),
        "timings": timings,
        "timed_arms": len({(row["experiment_key"], row["arm"]) for row in timings}),
        "credits": sections.of_journey(review, "fct_journey_credit", journey),
    }


def _timeline(line: Record, money: str) -> Record:
    shown = [row for row in line["rows"] if row["lift"] is not None]
    first, last = shown[0], shown[-1]
    kind = last["aggregation"]
    summary = (
        f"From {words.difference(first['lift'], kind, money)} on {words.day(first['as_of'])} to "
        f"{words.difference(last['lift'], kind, money)} on {words.day(last['as_of'])}; "
        f"the interval is now {words.interval(last['lift_low'], last['lift_high'], kind)}."
    )
    marks = sorted({mark["marked_at"] for mark in line["marks"]})
    chart = charts.timeline(
        line["rows"], marks, is_share=kind == "any", label=f"Lift over time, {line['title']}"
    )
    return {**line, "summary": summary, "chart": chart}


def _forest_summary(forest: Record) -> str:
    said = [
        f"{row['title']} {words.difference(row['lift'], row['aggregation'])} "
        f"{words.interval(row['lift_low'], row['lift_high'], row['aggregation'])}"
        for row in forest["rows"]
        if not row["is_sharp"]
    ]
    return "; ".join(said) + "." if said else ""


def _contrasts_summary(contrasts: Record) -> str:
    said = [
        f"{row['title']}: naive {words.times(row['naive_ratio'])}, "
        + (
            f"measured {words.times(row['ratio'])} ({row['finding']})"
            if row["ratio"] is not None
            else "nothing measured can be shown"
        )
        for row in contrasts["rows"]
    ]
    return "; ".join(said) + "." if said else ""


def _plain_value(value: Any) -> Any:
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, datetime | date):
        return value.isoformat()
    return str(value)


def _replace(path: Path, text: str) -> None:
    """Whole or not at all: a reader never sees half a page."""
    part = path.with_name(path.name + ".part")
    part.write_text(text, encoding="utf-8")
    part.replace(path)
