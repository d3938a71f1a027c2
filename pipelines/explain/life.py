"""A person's life as it is told to people: who they are, day by day what happened, and why."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import groupby
from typing import Any

from pipelines.plural import counted
from pipelines.review import words

Rows = list[dict[str, Any]]
Moment = tuple[datetime, str]

KNOWN_BY = ("customer_id", "email")
"""Identifiers by which people know somebody; the others are keys."""

KNOWN = {
    True: "knows",
    False: "has not met them, and would know",
    None: "was not asked whether it has met them, and would know",
}
"""Whether Heap has sessions of somebody; a build without Heap Connect cannot tell."""
KINDS = {
    "real": "was shown",
    "ghost": "was withheld, as they are held out",
    "none": "was not delivered",
}
EXPOSURES = {
    "real": "a real exposure, it was shown",
    "ghost": "a ghost, withheld from somebody who is held out, which is no exposure",
    "none": "no exposure, it was not shown",
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
    lines += _days(list(_moments(facts)))
    lines += _rules(facts)
    return [*lines, "", *_heap(facts)]


def tell_delivery(facts: dict[str, Rows]) -> list[str]:
    """Lines about one delivery: what it was and for whom, what came of it, what Heap was told.

    Args:
        facts: rows by relation, as `explain delivery` gathered them; a relation may have none.
    """
    lines = [line for row in facts["fct_message_exposures"] for line in _delivered(row)]
    moments = [moment for row in facts["fct_message_exposures"] for moment in _message(row)]
    moments += [
        (row["converted_at"], f"the goal: {words.plain(row['goal'] or 'not known').lower()}")
        for row in facts["fct_goal_conversions"]
    ]
    lines += [*_days(moments), ""]
    lines += [f"Heap is not told: {words.clean(row['reason'])}." for row in facts["heap_refusals"]]
    return [*lines, *_heap(facts)]


def _delivered(row: dict[str, Any]) -> Iterator[str]:
    """What kind of exposure it was, and what was known of the person when it came."""
    why = row.get("not_exposed_reason")
    said = f"{_what(row)}: " + EXPOSURES[row["exposure_kind"]] + (f" ({why})" if why else "")
    yield f"{said}."
    minutes = row.get("minutes_since_trigger")
    if minutes is not None:
        yield f"  {words.duration(minutes)} after its trigger"
    for label, column in (
        ("arms", "arm"),
        ("in the segments", "segments"),
        ("intent", "intent_tier"),
    ):
        keys = [key for key in str(row.get(column) or "").split("||") if key]
        yield f"  {label}: {', '.join(map(_key, keys)) or 'none'}"


def _key(text: str) -> str:
    """`winback=holdout` as `holdout of Winback`, `vip_v1` as `Vip v1`."""
    experiment, _, arm = text.partition("=")
    said = words.plain(words.clean(experiment))
    return f"{words.plain(words.clean(arm)).lower()} of {said}" if arm else said


def _days(moments: list[Moment]) -> list[str]:
    """What happened, day by day."""
    lines = ["", "Day by day (UTC)"] if moments else []
    for day, of_day in groupby(sorted(moments), key=lambda moment: moment[0].date()):
        lines.append(f"  {words.day(datetime(day.year, day.month, day.day))}")
        lines += [f"    {at:%H:%M}  {what}" for at, what in of_day]
    return lines


def _who(person: dict[str, Any], facts: dict[str, Rows]) -> Iterator[str]:
    source, status = person.get("heap_identity_source"), person.get("match_status")
    known = KNOWN[person.get("is_known_in_heap")]
    yield (
        f"Somebody who is {status or 'not judged'}: "
        + (
            f"Heap {known} them by their {words.plain(source).lower()}"
            if source
            else "unknown to Heap"
        )
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
    name, what = _name(row), _what(row)
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


def _name(row: dict[str, Any]) -> str:
    return words.clean(row.get("message_name") or row.get("message_type") or "a message")


def _what(row: dict[str, Any]) -> str:
    journey = words.clean(row.get("journey_name") or "")
    of = f" of {journey}" if journey else ""
    return f"{words.channel(row.get('channel'))} “{_name(row)}”{of}"


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
    events, properties = facts["receipts"], facts.get("property_state", [])
    is_person = "property_state" in facts
    if not events and not properties:
        lines = [f"Heap was told nothing of {'them' if is_person else 'it'}."]
    else:
        last = max(row["acknowledged_at"] for row in [*events, *properties])
        names = sorted({str(row["event"]) for row in events})
        lines = [
            f"Heap was told {counted(len(events), 'event')}"
            + (f" ({', '.join(names)})" if names else "")
            + (f" and {counted(len(properties), 'property')}" if is_person else "")
            + f", last on {words.moment(last)} UTC."
        ]
    reasons = [str(row["reason"]) for row in facts["dead_letters"]]
    lines += [
        f"Heap refused {reasons.count(reason):,}: {words.clean(reason)}."
        for reason in sorted(set(reasons))
    ]
    return [*lines, "Every row with its keys: --verbose, or --json."]


def _segment(row: dict[str, Any]) -> str:
    return f"{words.plain(row['segment_key'])} v{row['version']}"
