"""A workspace that only webhooks tell of, and one that a sync begins to tell of on the second day.

Every body of theirs names its workspace, as whoever receives them may write it in; the vendor's do
not. Some bodies have their `data` as a text, some spell identifiers in other ways.
"""

from __future__ import annotations

import calendar
import json
import random
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from exports import Export, at

Row = dict[str, Any]

ALONE, UPGRADED = 3, 4
CAMPAIGN, ACTION, NEWSLETTER = 701, 7011, 71

ANN: Row = {"identifiers": {"cio_id": "ann", "id": "c_alone_ann", "email": "ann@alone.example"}}
BEA: Row = {"identifiers": {"id": "c_alone_bea"}}
CAT: Row = {"identifiers": {}, "customer_id": "c_alone_cat"}
DAN: Row = {"identifiers": {"email": "Dan@Alone.example"}}
DAN_LATER: Row = {"identifiers": {"cio_id": "dan", "email": "dan@alone.example"}}
FAY: Row = {"identifiers": {"cio_id": "fay", "id": "c_fay"}}

PERSONS = {
    # delivery: customer_id and email of its person; None: nobody
    "a1": ("c_alone_ann", "ann@alone.example"),
    "a2": ("c_alone_bea", None),
    "a3": ("c_alone_cat", None),
    "a4": (None, "dan@alone.example"),
    "a5": (None, "dan@alone.example"),
    "a6": None,
    "a7": ("c_alone_ann", "ann@alone.example"),
}
ENTRIES = {"j-a1": 1.0, "j-a2": 1.0, "j-a3": 1.0, "j-a4": 1.0}
"""Journey entries and when they began: with their first message. a5 came in a4's journey."""

GOALS = {"a1": ("order_placed", 20.0), "a2": ("unknown", None)}


def write(
    exports: Mapping[str, Export], bodies: Mapping[str, list[Row]], dice: random.Random
) -> None:
    """Spread the bodies over the days; the sync of UPGRADED comes on the second."""
    early, late = exports["early"], exports["late"]
    told = [
        *(body(f"{name}-sent", "sent", 1.0, message(name, who)) for name, who in _sent()),
        body("a7-sent", "sent", 1.0, {"delivery_id": "a7", "newsletter_id": NEWSLETTER, **ANN}),
        body("a1-opened", "opened", 2.0, message("a1", ANN, proxied=False, prefetched=False)),
        body("a1-clicked", "clicked", 2.5, message("a1", ANN, link_id=5, machine=False)),
        body("a1-converted", "converted", 3.0, message("a1", ANN)),
        body("a2-converted", "converted", 3.0, message("a2", BEA)),
        body("a1-clicked", "clicked", 2.5, message("a1", ANN, link_id=5, machine=False)),
        body("cat-out", "unsubscribed", 50.0, CAT, of="customer"),
        body("ann-out", "unsubscribed", 50.0, ANN, of="customer"),
        body("ann-in", "subscribed", 60.0, ANN, of="customer"),
    ]
    early.event("c_alone_ann", 3.0, name="order_placed", value=20.0)
    for row in told:
        row["workspace_id"] = ALONE
        if dice.random() < 0.5:
            row["data"] = json.dumps(row["data"])
        bodies[dice.choice(("early", "late"))].append(row)

    for name, hours in (("u1", 1.0), ("u2", 0.5)):
        for metric, seconds in (("sent", 0.0), ("delivered", 1.0), ("converted", 7200.0)):
            when = hours + seconds / 3600
            row = body(f"W-{name}-{metric}", metric, when, message(name, FAY))
            bodies["early"].append({**row, "workspace_id": UPGRADED})
    late.person(UPGRADED, "fay")
    late.tables["subjects"].append(
        {
            "workspace_id": UPGRADED,
            "subject_name": "j-u1",
            "internal_customer_id": "fay",
            "campaign_type": "event",
            "campaign_id": CAMPAIGN,
            "started_campaign_at": at(0.9),
            "created_at": at(0.9),
            "seq_num": 1,
        }
    )
    late.tables["deliveries"].append(
        {
            "workspace_id": UPGRADED,
            "delivery_id": "u1",
            "internal_customer_id": "fay",
            "subject_id": "j-u1",
            "delivery_type": "email",
            "campaign_id": CAMPAIGN,
            "action_id": ACTION,
            "created_at": at(1.0),
            "seq_num": 1,
        }
    )
    for metric, seconds in (("sent", 0.3), ("delivered", 1.4), ("converted", 7200.8)):
        late.tables["metrics"].append(
            {
                "workspace_id": UPGRADED,
                "event_id": f"S-u1-{metric}",
                "delivery_id": "u1",
                "metric": metric,
                "created_at": at(1.0) + timedelta(seconds=seconds),
                "seq_num": 1,
            }
        )


def _sent() -> list[tuple[str, Row]]:
    return [
        ("a1", ANN),
        ("a2", BEA),
        ("a3", CAT),
        ("a4", DAN),
        ("a5", DAN_LATER),
        ("a6", {"identifiers": None}),
    ]


def message(name: str, who: Row, **more: Any) -> Row:
    """The `data` of a body about a delivery; a6 is of no journey that it names."""
    journey = {"a5": "j-a4", "a6": None}.get(name, f"j-{name}")
    named = {"journey_id": journey} if journey else {}
    return {
        "delivery_id": name,
        "campaign_id": CAMPAIGN,
        "action_id": ACTION,
        **named,
        **who,
        **more,
    }


def body(event_id: str, metric: str, hours: float, data: Row, of: str = "email") -> Row:
    """A reporting webhook, so many hours after T0."""
    return {
        "event_id": event_id,
        "object_type": of,
        "metric": metric,
        "timestamp": calendar.timegm(at(hours).timetuple()),
        "data": data,
    }
