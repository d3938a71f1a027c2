"""A person's life as it is told to people: who they are, day by day what happened, and why."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import groupby
from typing import Any

from pipelines.review import words

Rows = list[dict[str, Any]]
Moment = tuple[datetime, str]

KNOWN_BY = ("customer_id", "email")
"""Identifiers by which people know somebody; the others are keys."""

KINDS = {
    "real": "was shown",
    "ghost": "was withheld, as they are held out",
    "none": "was not delivered",
}
REACTIONS = (
    ("human_opened_at", "opened"),
    ("human_clicked_at", "clicked in"),
    ("converted_at", "is credited with a goal by"),
)


def tell(facts: dict[str, Rows]) -> list[str]:
    """Lines about everybody known under an identifier, without a key of any row.

    Args:
        facts: rows by relation, as `explain person` gathered them; a relation may have none.
    """
    lines = [line for person in facts["dim_persons"] for line in _who(person, facts)]
    lines += _now(facts)
    moments = sorted(_moments(facts))
    if moments:
        lines += ["", "Day by day (UTC)"]
    for day, of_day in groupby(moments, key=lambda moment: moment[0].date()):
        lines.append(f"  {words.day(datetime(day.year, day.month, day.day))}")
        lines += [f"    {at:%H:%M}  {what}" for at, what in of_day]
    lines += _rules(facts)
    return [*lines, "", *_heap(facts)]


def _who(person: dict[str, Any], facts: dict[str, Rows]) -> Iterator[str]:
    known = person.get("heap_identity_source")
    yield (
        f"Somebody who is {person.get('match_status') or 'not judged'}: "
        + (f"Heap knows them by their {words.plain(known).lower()}" if known else "unknown to Heap")
        + f", and {'may' if person.get('is_publishable') else 'may not'} be told of them."
    )
    held = [
        row
        for row in facts["map_identifiers"]
        if row["person_id"] == person["person_id"]
        and row["valid_to"] is None
        and row["identifier_type"] in KNOWN_BY
    ]
    for kind, rows in groupby(held, key=lambda row: str(row["identifier_type"])):
        values = sorted({words.clean(row["identifier"]) for row in rows})
        yield f"  {words.plain(kind).lower()}: {', '.join(values)}"


def _now(facts: dict[str, Rows]) -> list[str]:
    stays = facts["fct_segment_memberships"]
    inside = sorted({_segment(row) for row in stays if row["exited_at"] is None})
    arms = [
        f"{words.plain(row['arm']).lower()} of {words.plain(row['experiment_key']).lower()}"
        for row in facts["fct_experiment_assignments"]
    ]
    return [
        f"  now in: {', '.join(inside) or 'no segment'}",
        f"  arms: {', '.join(arms) or 'none'}",
    ]


def _moments(facts: dict[str, Rows]) -> Iterator[Moment]:
    for stay in facts["fct_segment_memberships"]:
        yield stay["entered_at"], f"came into {_segment(stay)}"
        if stay["exited_at"] is not None:
            yield stay["exited_at"], f"left {_segment(stay)}"
    sources = {row["experiment_key"]: row["assignment_source"] for row in facts["experiments"]}
    for row in facts["fct_experiment_assignments"]:
        yield row["assigned_at"], _assigned(row, sources.get(row["experiment_key"]))
    for row in facts["fct_message_exposures"]:
        yield from _message(row)


def _assigned(row: dict[str, Any], source: str | None) -> str:
    """Who drew it, and what was said against it later."""
    said = f"was drawn into {row['arm']} of {words.plain(row['experiment_key'])}"
    if source:
        said += f" by {source}"
    if (row.get("count_assignments") or 1) > 1:
        said += f", the first of {row['count_assignments']} times"
    if row.get("is_crossover"):
        said += f"; in another arm later ({row.get('crossover_cause')})"
    if row.get("exclusion_reason"):
        said += f"; left out of the reading ({row['exclusion_reason']})"
    return said


def _message(row: dict[str, Any]) -> Iterator[Moment]:
    name = words.clean(row.get("message_name") or row.get("message_type") or "a message")
    journey = words.clean(row.get("journey_name") or "")
    what = f"{words.channel(row.get('channel'))} “{name}”" + (f" of {journey}" if journey else "")
    at = row.get("sent_at") or row.get("created_at")
    if at is not None:
        why = row.get("not_exposed_reason")
        if why == "transactional":
            yield at, f"{what} was sent as a service, which counts as no exposure"
        else:
            yield at, f"{what} {KINDS[row['exposure_kind']]}" + (f" ({why})" if why else "")
    for column, did in REACTIONS:
        if row.get(column) is not None:
            yield row[column], f"{did} “{name}”"


def _rules(facts: dict[str, Rows]) -> list[str]:
    """Why somebody is in a segment: the rule of each version they were in, once."""
    told = sorted(
        f"  {_segment(row)}: {row['description']}"
        for row in facts["dim_segment_versions"]
        if row.get("description")
        and any(_segment(stay) == _segment(row) for stay in facts["fct_segment_memberships"])
    )
    return ["", "The rules of these segments", *told] if told else []


def _heap(facts: dict[str, Rows]) -> list[str]:
    events, properties = facts["receipts"], facts["property_state"]
    if not events and not properties:
        lines = ["Heap was told nothing of them."]
    else:
        last = max(row["acknowledged_at"] for row in [*events, *properties])
        names = sorted({str(row["event"]) for row in events})
        lines = [
            f"Heap was told {_many(events, 'event', 'events')}"
            + (f" ({', '.join(names)})" if names else "")
            + f" and {_many(properties, 'property', 'properties')}, "
            f"last on {words.moment(last)} UTC."
        ]
    reasons = [str(row["reason"]) for row in facts["dead_letters"]]
    lines += [
        f"Heap refused {reasons.count(reason):,}: {words.clean(reason)}."
        for reason in sorted(set(reasons))
    ]
    return [*lines, "Every row with its keys: --verbose, or --json."]


def _segment(row: dict[str, Any]) -> str:
    return f"{words.plain(row['segment_key'])} v{row['version']}"


def _many(rows: Rows, one: str, several: str) -> str:
    return f"{len(rows):,} {one if len(rows) == 1 else several}"
