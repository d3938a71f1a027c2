"""What the warehouse sync and the reporting webhooks tell of the same world, and what is true.

Each case of `CASES` is one metric of one delivery as the two feeds tell it, and the events it must
come to; each is written twice, once with the sync ahead by a day and once with the webhooks. Each
of `PEOPLE` is what was said of one person's subscription, in another order than that of the files.
"""

from __future__ import annotations

import calendar
import json
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import alone_cases
from exports import T0, Export, Instant, at

AS_OF = T0 + timedelta(days=75)
TOLERANCE = 10  # vars: feed_tolerance_seconds
HAPPENED = at(2.0)
FIRST = ("sync", "webhook")

Row = dict[str, Any]
Event = tuple[str | None, int | None, str]  # actor, link, source


@dataclass(frozen=True)
class Case:
    """`sync` and `webhook`: seconds after HAPPENED, and what the row says beside that."""

    metric: str
    sync: Sequence[tuple[float, Row]]
    webhook: Sequence[tuple[float, Row]]
    events: Sequence[Event]


def _case(
    metric: str,
    sync: Sequence[float | tuple[float, Row]],
    webhook: Sequence[float | tuple[float, Row]],
    *events: Event,
) -> Case:
    def rows(told: Sequence[float | tuple[float, Row]]) -> list[tuple[float, Row]]:
        return [row if isinstance(row, tuple) else (row, {}) for row in told]

    return Case(metric, rows(sync), rows(webhook), events)


SAME: Row = {"id": "same"}
OPEN: Row = {"proxied": False, "prefetched": False}
BOTH, SYNC, WEBHOOK = (None, None, "both"), (None, None, "sync"), (None, None, "webhook")

CASES: dict[str, Case] = {
    # how many
    "one id, one second": _case("converted", [(0.0, SAME)], [(0, SAME)], BOTH),
    "one id, seconds apart": _case("converted", [(1.2, SAME)], [(0, SAME)], BOTH),
    "one id, a day apart": _case("converted", [(86_400.0, SAME)], [(0, SAME)], BOTH),
    "two ids, one second": _case("converted", [0.7], [0], BOTH),
    "two ids, seconds apart": _case("converted", [3.2], [0], BOTH),
    "two ids, the webhook later": _case("converted", [0.0], [10], BOTH),
    "two ids, too far apart": _case("converted", [11.0], [0], SYNC, WEBHOOK),
    "two conversions in both": _case("converted", [0.4, 40.4], [0, 40], BOTH, BOTH),
    "two within seconds in both": _case("converted", [0.4, 2.9], [0, 2], BOTH, BOTH),
    "three against one": _case("converted", [0.4, 1.4, 2.4], [2], SYNC, SYNC, BOTH),
    "one against three": _case("converted", [0.4], [0, 1, 2], BOTH, WEBHOOK, WEBHOOK),
    "one of two shares its id": _case("converted", [(5.0, SAME), 1.2], [1, (0, SAME)], BOTH, BOTH),
    "only the sync": _case("converted", [0.4], [], SYNC),
    "only the webhook": _case("converted", [], [0], WEBHOOK),
    "a body told twice": _case("converted", [], [(0, SAME), (0, SAME)], WEBHOOK),
    "a body told twice, and the sync": _case("converted", [0.4], [(0, SAME), (0, SAME)], BOTH),
    "the order of neighbours": _case("converted", [0.0, 9.0], [18], SYNC, BOTH),
    # whose
    "synthetic by one feed": _case(
        "opened", [(0.0, OPEN)], [(0, {"synthetic": True, **OPEN})], ("unknown", None, "both")
    ),
    "a person's in both": _case("opened", [(0.0, OPEN)], [(0, OPEN)], ("human", None, "both")),
    "prefetched by one feed": _case(
        "opened", [0.4], [(0, {"proxied": True, "prefetched": True})], ("prefetched", None, "both")
    ),
    "proxied by the sync, prefetched by the webhook": _case(
        "opened",
        [(0.4, {"proxied": True, "prefetched": False})],
        [(0, {"proxied": False, "prefetched": True})],
        ("prefetched", None, "both"),
    ),
    "an open nobody says anything of": _case("opened", [0.4], [0], ("unknown", None, "both")),
    "twice, first by a machine": _case(
        "opened",
        [(0.4, OPEN), (0.9, {})],
        [(0, {"id": "w1", **OPEN}), (0, {"id": "w2", "proxied": False, "prefetched": True})],
        ("human", None, "both"),
        ("prefetched", None, "both"),
    ),
    "a machine by the webhook": _case(
        "clicked", [(0.4, {"link": 5})], [(0, {"link": 5, "machine": True})], ("machine", 5, "both")
    ),
    "a machine by the sync": _case(
        "clicked", [(0.4, {"link": 5, "machine": True})], [(0, {"link": 5})], ("machine", 5, "both")
    ),
    "a machine by the webhook alone": _case(
        "clicked",
        [(0.4, {"link": 5, "machine": False})],
        [(0, {"link": 5, "machine": True})],
        ("machine", 5, "both"),
    ),
    "a machine by the sync alone": _case(
        "clicked",
        [(0.4, {"link": 5, "machine": True})],
        [(0, {"link": 5, "machine": False})],
        ("machine", 5, "both"),
    ),
    "a person by one feed": _case(
        "clicked", [(0.4, {"link": 5})], [(0, {"link": 5, "machine": False})], ("human", 5, "both")
    ),
    "two links in one second": _case(
        "clicked",
        [(0.4, {"link": 5}), (0.4, {"link": 6})],
        [(0, {"link": 6}), (0, {"link": 5})],
        ("unknown", 5, "both"),
        ("unknown", 6, "both"),
    ),
    "another link": _case(
        "clicked",
        [(0.4, {"link": 5})],
        [(0, {"link": 6})],
        ("unknown", 5, "sync"),
        ("unknown", 6, "webhook"),
    ),
    "a link that one feed knows": _case(
        "clicked", [0.4], [(0, {"link": 5})], ("unknown", 5, "both")
    ),
    "a machine and a link as numbers": _case(
        "clicked",
        [(0.4, {"link": 5})],
        [(0, {"link": 5.0, "machine": 1.0})],
        ("machine", 5, "both"),
    ),
    "a machine by the older body": _case(
        "clicked",
        [],
        [(0, {"link": 5, "machine": True, **SAME}), (1, {"link": 5, **SAME})],
        ("machine", 5, "webhook"),
    ),
    "a machine by the older row": _case(
        "clicked",
        [(0.4, {"link": 5, "machine": True, **SAME}), (0.4, {"link": 5, **SAME})],
        [],
        ("machine", 5, "sync"),
    ),
    "one id, a link that one feed knows": _case(
        "clicked", [(4.0, {"link": 5, **SAME})], [(0, SAME)], ("unknown", 5, "both")
    ),
}

LONELY_ID = "an id that two deliveries share"
"""The sync tells of one delivery and a webhook of another, both converted, under one event id."""


@dataclass(frozen=True)
class Person:
    """What is said of a person in the second export and in the first, and the spans that follow.

    A body is `(metric, hours, data)`; `hours` after T0. `{...}` in data is the person's name. Spans
    are hours too; None: it stands.
    """

    later_file: Sequence[tuple[str, float, Row | str]]
    earlier_file: Sequence[tuple[str, float, Row | str]] = ()
    spans: Sequence[tuple[float, float | None]] = ()
    attributes: Sequence[tuple[str, float]] = ()
    synced: Sequence[tuple[str, float]] = ()
    others: Row = field(default_factory=dict)


CIO_ID: Row = {"identifiers": {"cio_id": "{}"}}
CUSTOMER_ID: Row = {"identifiers": {"id": "c_{}"}}
EMAIL: Row = {"identifiers": {"email": " {}@Example.COM"}}
TOPIC: Row = {**CIO_ID, "content": '{"topics":{"topic_1":false}}'}
UNKNOWN: Row = {"identifiers": {"cio_id": "nobody", "id": "c_{}"}}

PEOPLE: dict[str, Person] = {
    "by_cio_id": Person([("unsubscribed", 50, CIO_ID)], spans=[(50, None)]),
    "by_customer_id": Person([("unsubscribed", 50, CUSTOMER_ID)], spans=[(50, None)]),
    "by_email": Person([("unsubscribed", 50, EMAIL)], spans=[(50, None)]),
    "by_address": Person(
        [("unsubscribed", 50, {"email_address": "{}@example.com"})], spans=[(50, None)]
    ),
    "by_another_way": Person([("unsubscribed", 50, UNKNOWN)], spans=[(50, None)]),
    "by_old_id": Person(
        [("unsubscribed", 50, {"customer_id": "c_{}", "identifiers": {"id": None}})],
        spans=[(50, None)],
    ),
    "by_text": Person([("unsubscribed", 50, json.dumps(CIO_ID))], spans=[(50, None)]),
    "other_ids_wrong": Person(
        [
            (
                "unsubscribed",
                50,
                {"customer_id": "c_silent", "identifiers": {"cio_id": "{}", "id": "c_silent"}},
            )
        ],
        spans=[(50, None)],
    ),
    "silent": Person([]),
    "back_again": Person(
        [("unsubscribed", 50, CIO_ID)], [("subscribed", 60, CIO_ID)], spans=[(50, 60)]
    ),
    "out_again": Person(
        [("subscribed", 60, CUSTOMER_ID)],
        [("unsubscribed", 70, EMAIL), ("unsubscribed", 50, CIO_ID)],
        spans=[(50, 60), (70, None)],
    ),
    "told_twice": Person(
        [("unsubscribed", 50, CIO_ID)],
        [("unsubscribed", 50, CIO_ID), ("subscribed", 60, CIO_ID)],
        spans=[(50, 60)],
    ),
    "one_instant": Person(
        [("subscribed", 50, CIO_ID)], [("unsubscribed", 50, CIO_ID)], spans=[(50, None)]
    ),
    "attribute_later": Person(
        [("unsubscribed", 50, CIO_ID)], spans=[(50, 60)], attributes=[("false", 60)]
    ),
    "attribute_earlier": Person(
        [("subscribed", 70, CIO_ID)], spans=[(60, 70)], attributes=[("true", 60)]
    ),
    "topic_by_webhook": Person([("cio_subscription_preferences_changed", 50, TOPIC)]),
    "topic_by_sync": Person([], synced=[("topic_unsubscribed", 50)]),
    "topic_then_all": Person(
        [], synced=[("topic_unsubscribed", 50), ("unsubscribed", 60)], spans=[(60, None)]
    ),
    "all_then_topic": Person(
        [("subscribed", 55, CIO_ID)],
        synced=[("unsubscribed", 50), ("topic_unsubscribed", 60)],
        spans=[(50, 55)],
    ),
    "all_twice": Person(
        [],
        synced=[("unsubscribed", 50), ("unsubscribed", 70)],
        attributes=[("false", 60)],
        spans=[(50, 60), (70, None)],
    ),
    "complained": Person([], synced=[("spammed", 50)], spans=[(50, None)]),
    "unknown_delivery": Person(
        [("unsubscribed", 50, {"delivery_id": "not synced", **CIO_ID})], spans=[(50, None)]
    ),
    # these share their customer_id across workspaces 1 and 2
    "in_both": Person(
        [("unsubscribed", 50, CUSTOMER_ID), ("subscribed", 60, CUSTOMER_ID)], spans=[(50, None)]
    ),
    "in_one": Person(
        [
            ("unsubscribed", 50, CUSTOMER_ID),
            ("subscribed", 60, {"identifiers": {"id": "c_{}", "cio_id": "{}"}}),
        ],
        spans=[(50, 60)],
    ),
}
TWINS = {"in_both": [(50.0, None)], "in_one": [(50.0, None)]}
"""Workspace 2's people of that customer_id, and their spans."""

BURSTS = 250
"""Deliveries whose opens are drawn at random; their ids never agree."""


@dataclass
class World:
    """Where everything was written, and under which delivery."""

    early: Path
    late: Path
    deliveries: dict[tuple[str, str], str]
    bursts: dict[str, tuple[list[int], list[int]]]
    twins: dict[str, str]


def write(folder: Path, seed: int = 5) -> World:
    """Write the first day's export and the second's."""
    early, late = Export(), Export()
    bodies: dict[str, list[Row]] = {"early": [], "late": []}
    by_day = {"early": early, "late": late}
    deliveries: dict[tuple[str, str], str] = {}

    def deliver(cio_id: str) -> str:
        early.person(1, cio_id, email_addr=f"{cio_id}@example.com")
        return early.message(1, cio_id)

    for number, (name, case) in enumerate(CASES.items()):
        for first in FIRST:
            cio_id = f"{first}{number}"
            delivery = deliveries[name, first] = deliver(cio_id)
            day = "early" if first == "sync" else "late"
            for place, (seconds, said) in enumerate(case.sync):
                _sync(by_day[day], cio_id, delivery, case.metric, place, seconds, said)
            day = "early" if first == "webhook" else "late"
            for place, (seconds, said) in enumerate(case.webhook):
                bodies[day].append(_body(cio_id, delivery, case.metric, place, seconds, said))

    for first, day, other in (("sync", "early", "late"), ("webhook", "late", "early")):
        told, called = f"{first}a", f"{first}b"
        deliveries[LONELY_ID, first] = deliver(told)
        deliveries[f"{LONELY_ID} too", first] = delivery = deliver(called)
        _sync(by_day[day], told, deliveries[LONELY_ID, first], "converted", 0, 0, {"id": "lonely"})
        body = _body(called, delivery, "converted", 0, 0, {})
        bodies[other].append({**body, "event_id": f"lonely-{told}"})

    bursts = {}
    dice = random.Random(seed)
    for number in range(BURSTS):
        cio_id = f"burst{number}"
        delivery = deliver(cio_id)
        width = dice.choice([5, TOLERANCE, 25, 60])
        drawn = [[dice.randint(0, width) for _ in range(dice.randint(0, 6))] for _ in FIRST]
        bursts[delivery] = (drawn[0], drawn[1])
        day, other = ("early", "late") if number % 2 else ("late", "early")
        for place, second in enumerate(drawn[0]):
            _sync(by_day[day], cio_id, delivery, "opened", place, second + dice.random(), {})
        for place, second in enumerate(drawn[1]):
            bodies[other].append(_body(cio_id, delivery, "opened", place, second, {}))

    _write_people(early, late, bodies)
    alone_cases.write(by_day, bodies, dice)
    twins = {name: f"twin_{name}" for name in TWINS}
    for name, cio_id in twins.items():
        early.person(2, cio_id, customer_id=f"c_{name}")

    for day, export in by_day.items():
        dice.shuffle(bodies[day])
        export.write(folder / day)
        lines = "".join(f"{json.dumps(body)}\n" for body in bodies[day])
        (folder / day / "export" / f"webhooks_{day}.jsonl").write_text(lines, encoding="utf-8")
    return World(folder / "early" / "export", folder / "late" / "export", deliveries, bursts, twins)


def _write_people(early: Export, late: Export, bodies: dict[str, list[Row]]) -> None:
    for name, person in PEOPLE.items():
        early.person(1, name, email_addr=f"{name}@example.com")
        early.event(f"c_{name}", 0.0, name="order_placed", value=20.0)
        for value, hours in person.attributes:
            early.attribute(1, name, "unsubscribed", value, hours)
        if person.synced:
            delivery = early.message(1, name)
            for place, (metric, hours) in enumerate(person.synced):
                seconds = (at(hours) - HAPPENED).total_seconds()
                _sync(late, name, delivery, metric, place, seconds, {})
        for day, said in (("late", person.later_file), ("early", person.earlier_file)):
            for metric, hours, data in said:
                topic = metric.startswith("cio_")
                bodies[day].append(
                    {
                        "event_id": f"{name}-{metric}-{hours}",
                        "object_type_type" if topic else "object_type": "customer",
                        "metric": metric,
                        "timestamp": _unix(hours),
                        "data": json.loads(json.dumps(data).replace("{}", name)),
                    }
                )


def _sync(
    export: Export,
    cio_id: str,
    delivery: str,
    metric: str,
    place: int,
    seconds: float,
    said: Row,
) -> None:
    rows = export.tables["metrics"]
    rows.append(
        {
            "workspace_id": 1,
            "event_id": event_id("S", cio_id, metric, place, said),
            "delivery_id": delivery,
            "metric": metric,
            "link_id": said.get("link"),
            "created_at": HAPPENED + timedelta(seconds=seconds),
            "seq_num": 9_000_000_000 + len(rows),
            **{flag: said.get(flag) for flag in ("proxied", "prefetched", "machine")},
        }
    )


def _body(cio_id: str, delivery: str, metric: str, place: int, seconds: float, said: Row) -> Row:
    flags = {
        flag: said[flag]
        for flag in ("proxied", "prefetched", "machine", "synthetic")
        if flag in said
    }
    link = {"link_id": said["link"]} if "link" in said else {}
    return {
        "event_id": event_id("W", cio_id, metric, place, said),
        "object_type": "email",
        "metric": metric,
        "timestamp": _unix(HAPPENED + timedelta(seconds=seconds)),
        "data": {"delivery_id": delivery, "identifiers": {"cio_id": cio_id}, **flags, **link},
    }


def event_id(feed: str, cio_id: str, metric: str, place: int, said: Row) -> str:
    """The id under which a feed tells of an event: both the same where `said` names one."""
    return f"{said['id']}-{cio_id}" if "id" in said else f"{feed}-{cio_id}-{metric}-{place}"


def _unix(when: Instant) -> int:
    moment: datetime = at(when)
    return calendar.timegm(moment.timetuple())
