"""Stays against a plain reading of each rule, at random instants of random histories."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb
import pytest
from conftest import PROVE
from segment_world import make_home

from pipelines import registries, warehouse

PEOPLE = 400 if PROVE else 120
AS_OF = datetime(2026, 6, 1)
EARLIER = datetime(2026, 3, 10, 4)  # three hours past midnight in New York, two days into summer
NEW_YORK = ZoneInfo("America/New_York")
# a line belongs to the order before it, whose id it shares; what is refunded is no order
LINE, REFUND = "order line", "order refund"
BEHAVIORS = [
    *("product_viewed", "cart_updated", "shipping_viewed", "order_placed", "order_delivered"),
    *(LINE, REFUND),
]

Event = tuple[str, str, str, str, int, datetime]  # person, behavior, product, category, value, at
Stay = tuple[str, datetime, datetime | None]
Stays = dict[str, list[Stay]]


def draw_events(seed: int) -> list[Event]:
    """Bursts of behavior over a year, to the minute; some instants are shared."""
    dice = random.Random(seed)
    events: list[Event] = []
    for number in range(PEOPLE):
        orders = 0
        at = AS_OF - timedelta(days=dice.randint(1, 400), minutes=dice.randint(0, 1440))
        while at < AS_OF:
            behavior = dice.choices(BEHAVIORS, [5, 4, 2, 4, 2, 1, 1])[0]
            orders += behavior == "order_placed"
            if behavior == LINE and not orders:
                behavior = REFUND
            product = dice.choice("pq")
            category = dice.choice(["coffee", "toys"])
            value = dice.randint(0, 200) * (-1 if behavior == REFUND else 1)
            events.append((f"p{number}", behavior, product, category, value, at))
            at += dice.choice(
                [
                    timedelta(0),
                    timedelta(minutes=dice.randint(1, 90)),
                    timedelta(hours=dice.randint(1, 80)),
                    timedelta(days=dice.randint(3, 40)),
                    timedelta(days=dice.randint(30, 110)),
                ]
            )
    return events


def as_recorded(event: Event, events: list[Event]) -> tuple[object, ...]:
    """The event as staging gives it: a line under the id of its order, a refund as no behavior."""
    person, behavior, *rest, at = event
    order = event
    if behavior == LINE:
        order = max(
            (one for one in events if one[:2] == (person, "order_placed") and one[-1] <= at),
            key=lambda one: one[-1],
        )
    money = behavior in (LINE, REFUND)
    recorded = {LINE: "order_placed", REFUND: None}.get(behavior, behavior)
    return (person, recorded, *rest, at, repr(order), "order_placed" if money else behavior)


def build(home: Path, events: list[Event], as_of: datetime) -> Stays:
    """The real models on these events, as they would be seen at `as_of`."""
    settings = make_home(home)
    with duckdb.connect(str(settings.warehouse_path)) as connection:
        connection.execute(
            """
            insert into identity.int_identity__profiles
                select 1, concat('c', n), concat('p', n) from range(1000) as numbers (n);
            insert into registries.workspaces values (1, 'America/New_York')
            """
        )
        connection.executemany(
            "insert into identity.int_identity__behavior_events values (?, ?, ?, ?, ?, ?, 1, ?, ?)",
            [as_recorded(event, events) for event in events if event[-1] < as_of],
        )
    warehouse.invoke(
        settings,
        registries.compose(settings, None),
        [
            *("run", "--vars", f'{{"as_of": "{as_of}"}}', "--select"),
            *("path:models/segments", "fct_segment_memberships", "fct_intent_tiers"),
        ],
    )
    stays: Stays = defaultdict(list)
    with duckdb.connect(str(settings.warehouse_path), read_only=True) as connection:
        for name, person, entered_at, exited_at in connection.execute(
            """
            select concat(segment_key, '_v', version), person_id, entered_at, exited_at
            from marts.fct_segment_memberships
            union all
            select intent_tier, person_id, entered_at, exited_at from marts.fct_intent_tiers
            order by all
            """
        ).fetchall():
            stays[name].append((person, entered_at, exited_at))
    return stays


@pytest.fixture(scope="module")
def events() -> list[Event]:
    return draw_events(4)


@pytest.fixture(scope="module")
def stays(events: list[Event], tmp_path_factory: pytest.TempPathFactory) -> Stays:
    return build(tmp_path_factory.mktemp("history") / "home", events, AS_OF)


# --- each rule, as it stands in words ---------------------------------------------------------


def days_after(at: datetime, days: int) -> datetime:
    """The instant at which the brand's calendar day `days` after that of `at` begins."""
    day = at.replace(tzinfo=UTC).astimezone(NEW_YORK).date() + timedelta(days=days)
    midnight = datetime(day.year, day.month, day.day, tzinfo=NEW_YORK)
    return midnight.astimezone(UTC).replace(tzinfo=None)


class Person:
    """What one person has done before an instant."""

    def __init__(self, events: list[Event], now: datetime) -> None:
        self.now = now
        self.events = [event for event in events if event[-1] <= now]
        self.orders = sorted({event[-1] for event in self.events if event[1] == "order_placed"})

    def moments(self, *behaviors: str) -> list[datetime]:
        return sorted(event[-1] for event in self.events if event[1] in behaviors)

    def left(self, behavior: str, window: timedelta) -> bool:
        hour = timedelta(hours=1)
        ends = self.moments("order_placed", LINE)
        both = self.moments(behavior, "order_placed", LINE)
        return any(
            at + hour <= self.now < at + window
            and not any(order >= at for order in ends)
            and not any(at < other < at + hour for other in both)
            for at in self.moments(behavior)
        )

    def cart_abandoner_v1(self) -> bool:
        return self.left("cart_updated", timedelta(hours=168))

    def high_intent_abandoner_v1(self) -> bool:
        return self.left("shipping_viewed", timedelta(hours=72))

    def first_time_buyer_delivered_v1(self) -> bool:
        if len(self.orders) != 1:
            return False
        arrived = [at for at in self.moments("order_delivered") if at >= self.orders[0]]
        return bool(arrived) and self.now < days_after(arrived[0], 45)

    def replenishment_window_v1(self) -> bool:
        for category, gap in (("coffee", 28), ("toys", 45)):
            lines = [e for e in self.events if e[1] in ("order_placed", LINE)]
            bought = [e[-1] for e in lines if e[3] == category]
            if bought and (
                days_after(max(bought), gap - 7) <= self.now < days_after(max(bought), gap + 14)
            ):
                return True
        return False

    def vip_v1(self) -> bool:
        money = ("order_placed", LINE, REFUND)
        return sum(event[4] for event in self.events if event[1] in money) >= 500

    def churn_risk_v1(self) -> bool:
        if len(self.orders) < 2:
            return False
        last = self.orders[-1]
        seconds = (last - self.orders[0]).total_seconds() * 2 / (len(self.orders) - 1)
        late = last + timedelta(seconds=round(seconds))
        return max(late, days_after(last, 14)) <= self.now < days_after(last, 180)

    def winback_eligible_v1(self) -> bool:
        if not self.orders:
            return False
        last = self.orders[-1]
        return days_after(last, 60) <= self.now < days_after(last, 90)

    def high(self) -> bool:
        checkout = self.moments("shipping_viewed")
        again = [
            one[-1]
            for n, one in enumerate(self.events)
            for m, other in enumerate(self.events)
            if n != m
            and one[1] == other[1] == "product_viewed"
            and one[2] == other[2]
            and timedelta(0) <= one[-1] - other[-1] <= timedelta(hours=24)
        ]
        return any(self.now < at + timedelta(hours=72) for at in checkout + again)

    def warm(self) -> bool:
        looked = self.moments("product_viewed", "cart_updated")
        return not self.high() and any(self.now < at + timedelta(hours=168) for at in looked)

    def cold(self) -> bool:
        return not self.high() and not self.warm()


RULES: dict[str, Callable[[Person], bool]] = {
    name: rule
    for name, rule in vars(Person).items()
    if name.endswith("_v1") or name in ("high", "warm", "cold")
}


def instants(events: list[Event], dice: random.Random) -> list[datetime]:
    """Around everything that happened, at midnights, and anywhere."""
    found = []
    for event in events:
        found.append(event[-1] + timedelta(minutes=dice.choice([-1, 0, 1, 59, 60, 61])))
        found.append(event[-1] + timedelta(hours=dice.choice([24, 72, 168]), minutes=-1))
        days = dice.choice([14, 21, 42, 45, 59, 60, 90, 180])
        found.append(days_after(event[-1], days) + timedelta(minutes=dice.choice([-1, 0])))
    return [at for at in found if at < AS_OF]


@pytest.mark.parametrize("name", RULES)
def test_stays_are_right_at_every_instant(name: str, events: list[Event], stays: Stays) -> None:
    dice = random.Random(name)
    spans = defaultdict(list)
    for person, entered_at, exited_at in stays[name]:
        spans[person].append((entered_at, exited_at))
    inside = 0
    by_person = defaultdict(list)
    for event in events:
        by_person[event[0]].append(event)
    for person, mine in by_person.items():
        asked = instants(mine, dice)
        for now in dice.sample(asked, min(25, len(asked))):
            said = [
                span for span in spans[person] if span[0] <= now and (not span[1] or now < span[1])
            ]
            wanted = RULES[name](Person(mine, now))
            assert len(said) == wanted, (person, now, spans[person])
            inside += wanted
    assert inside > 20, "too few instants inside: the test proves nothing"


def test_any_order_of_the_rows_gives_the_same_stays(
    events: list[Event], stays: Stays, tmp_path: Path
) -> None:
    shuffled = random.Random(1).sample(events, len(events))
    assert build(tmp_path / "home", shuffled, AS_OF) == stays


def test_an_earlier_build_knew_what_a_later_one_says_of_that_time(
    events: list[Event], stays: Stays, tmp_path: Path
) -> None:
    earlier = build(tmp_path / "home", events, EARLIER)
    clipped = {
        name: [
            (person, entered_at, exited_at if exited_at and exited_at < EARLIER else None)
            for person, entered_at, exited_at in found
            if entered_at < EARLIER
        ]
        for name, found in stays.items()
    }

    def in_order(found: Stays | dict[str, list[Stay]]) -> dict[str, list[str]]:
        return {name: sorted(map(str, rows)) for name, rows in found.items() if rows}

    assert in_order(earlier) == in_order(clipped)
