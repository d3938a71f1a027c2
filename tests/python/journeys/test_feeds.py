"""One event in two feeds is one event, and an opt-out is heard whichever of them tells of it.

The world is `feed_cases.py`: loaded and built day by day, then at once with the days exchanged.
Facts about the feeds: the vendor leaves open whether they share event ids.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import feed_cases
import pytest
from alone_cases import ALONE, ENTRIES, GOALS, PERSONS, UPGRADED
from conftest import PROVE
from exports import at
from feed_cases import AS_OF, BURSTS, CASES, FIRST, LONELY_ID, PEOPLE, TOLERANCE, TWINS, World
from parts import build_part

from pipelines.console import Console
from pipelines.loading import load
from pipelines.settings import Settings

SELECTION = (
    "+heap_cio_goal_converted +heap_cio_message_clicked +heap_user_properties +heap_refusals"
    " +heap_earlier_keys +fct_topic_subscriptions"
)
COMPARED = (
    "journeys.int_journeys__delivery_metrics",
    "journeys.int_journeys__deliveries",
    "journeys.int_journeys__entries",
    "identity.int_identity__profiles",
    "journeys.int_journeys__subscription_statements",
    "segments.int_segments__unsubscribed_spans",
    "marts.fct_topic_subscriptions",
    "marts.fct_goal_conversions",
    "marts.fct_segment_memberships",
    "heap.heap_cio_goal_converted",
    "heap.heap_cio_message_clicked",
    "heap.heap_user_properties",
    "heap.heap_refusals",
    "heap.heap_earlier_keys",
)

Rows = list[tuple[Any, ...]]


@dataclass
class Built:
    """A home after both days, and what Heap would have been told after the first."""

    world: World
    settings: Settings
    told_first: dict[str, Rows]

    def ask(self, query: str, *values: object) -> Rows:
        return ask(self.settings, query, *values)


def ask(settings: Settings, query: str, *values: object) -> Rows:
    with duckdb.connect(str(settings.warehouse_path), read_only=True) as connection:
        rows: Rows = connection.execute(query, list(values)).fetchall()
    return rows


def build_home(
    folder: Path, *exports: Path, as_of: datetime = AS_OF, is_tested: bool = PROVE
) -> Settings:
    """Load the exports one by one, then build what the tests read."""
    settings = Settings(_env_file=None).model_copy(  # type: ignore[call-arg]
        update={"home": folder}
    )
    console = Console(as_json=True)
    for export in exports:
        assert load([str(export)], settings, console).failure is None
    build_part(settings, as_of, SELECTION, is_tested=is_tested)
    return settings


def told(settings: Settings) -> dict[str, Rows]:
    """What Heap would be told: key and delivery, by event."""
    return {
        event: ask(settings, f"select publish_key, delivery_id from heap.heap_{event}")
        for event in ("cio_goal_converted", "cio_message_clicked")
    }


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    folder = tmp_path_factory.mktemp("feeds")
    world = feed_cases.write(folder)
    first = told(build_home(folder / "home", world.early))
    return Built(world, build_home(folder / "home", world.late, is_tested=True), first)


EACH = [(name, first) for name in CASES for first in FIRST]


@pytest.mark.parametrize(("name", "first"), EACH)
def test_what_both_feeds_tell_is_told_once_with_what_either_knows(
    built: Built, name: str, first: str
) -> None:
    case = CASES[name]
    found = built.ask(
        "select actor, link_id, source from journeys.int_journeys__delivery_metrics"
        " where delivery_id = ? and metric = ?",
        built.world.deliveries[name, first],
        case.metric,
    )
    assert Counter(found) == Counter(case.events)


@pytest.mark.parametrize(("name", "first"), EACH)
def test_no_click_of_a_machine_is_told_and_a_link_once(built: Built, name: str, first: str) -> None:
    case = CASES[name]
    links = {link for actor, link, _ in case.events if actor != "machine"}
    found = built.ask(
        "select cast(link_id as bigint), click_kind from heap.heap_cio_message_clicked"
        " where delivery_id = ?",
        built.world.deliveries[name, first],
    )
    expected = {
        (
            -1 if link is None else link,  # no link known
            "human" if any(e == ("human", link, e[2]) for e in case.events) else "unknown",
        )
        for link in links
    }
    assert Counter(found) == Counter(expected if case.metric == "clicked" else ())


@pytest.mark.parametrize(("name", "first"), EACH)
def test_heap_is_told_once_whichever_feed_came_first(built: Built, name: str, first: str) -> None:
    case = CASES[name]
    delivery = built.world.deliveries[name, first]
    ever, last = (
        {
            event: {key for rows in times for key, of in rows[event] if of == delivery}
            for event in built.told_first
        }
        for times in ([built.told_first, told(built.settings)], [told(built.settings)])
    )
    synced = [event for event in case.events if event[2] != "webhook"]
    expected = len(synced) if case.metric == "converted" else 0
    assert len(ever["cio_goal_converted"]) == len(last["cio_goal_converted"]) == expected
    links = {said.get("link") for _, said in (*case.sync, *case.webhook)}
    assert len(ever["cio_message_clicked"]) <= (len(links) if case.metric == "clicked" else 0)


def test_a_conversion_of_the_sync_keeps_the_key_it_always_had(built: Built) -> None:
    delivery = built.world.deliveries["two ids, one second", "webhook"]
    rows = built.ask(
        "select metric_event_id from journeys.int_journeys__delivery_metrics"
        " where delivery_id = ? and metric = 'converted'",
        delivery,
    )
    key = hashlib.md5(f"cio_goal_converted|1|{rows[0][0]}".encode()).hexdigest()
    assert rows[0][0].startswith("S-")
    assert (key, delivery) in told(built.settings)["cio_goal_converted"]


def test_what_only_a_webhook_tells_of_a_conversion_waits_and_is_named(built: Built) -> None:
    delivery = built.world.deliveries["only the webhook", "webhook"]
    assert built.ask(
        "select heap_refusals.reason from heap.heap_refusals inner join"
        " heap_candidates.int_heap__goal_converted using (publish_key) where delivery_id = ?",
        delivery,
    ) == [("not yet told by the sync",)]
    assert built.ask(
        "select count_conversions from journeys.int_journeys__deliveries where delivery_id = ?",
        delivery,
    ) == [(1,)]


@pytest.mark.parametrize("first", FIRST)
def test_one_id_for_two_deliveries_is_one_event_and_stops_nothing(built: Built, first: str) -> None:
    found = built.ask(
        "select delivery_id, source from journeys.int_journeys__delivery_metrics"
        " where metric = 'converted' and delivery_id in (?, ?)",
        built.world.deliveries[LONELY_ID, first],
        built.world.deliveries[f"{LONELY_ID} too", first],
    )
    assert found == [(built.world.deliveries[LONELY_ID, first], "both")]


def test_in_any_burst_the_match_is_one_to_one_and_leaves_no_neighbours_alone(built: Built) -> None:
    rows: dict[str, list[tuple[str, datetime]]] = {delivery: [] for delivery in built.world.bursts}
    for delivery, source, occurred_at in built.ask(
        "select delivery_id, source, date_trunc('second', occurred_at)"
        " from journeys.int_journeys__delivery_metrics where metric = 'opened'"
    ):
        if delivery in rows:
            rows[delivery].append((source, occurred_at))
    assert len(rows) == BURSTS
    matched = 0
    for delivery, (synced, called) in built.world.bursts.items():
        count = Counter(source for source, _ in rows[delivery])
        matched += count["both"]
        assert count["both"] + count["sync"] == len(synced)
        assert count["both"] + count["webhook"] == len(called)
        alone = {
            source: [moment for of, moment in rows[delivery] if of == source]
            for source in ("sync", "webhook")
        }
        assert not any(
            abs((one - other).total_seconds()) <= TOLERANCE
            for one in alone["sync"]
            for other in alone["webhook"]
        )
        seconds = [*synced, *called]
        if seconds and max(seconds) - min(seconds) <= TOLERANCE:
            assert len(rows[delivery]) == max(len(synced), len(called))
    assert matched > BURSTS  # the case is not vacuous


SPANS = """
    select starts_at, ends_at from segments.int_segments__unsubscribed_spans
    inner join identity.int_identity__profiles using (person_id)
    where cio_id = ? order by starts_at
"""


@pytest.mark.parametrize("name", PEOPLE)
def test_an_opt_out_is_heard_from_then_on(built: Built, name: str) -> None:
    expected = [(at(start), None if end is None else at(end)) for start, end in PEOPLE[name].spans]
    assert built.ask(SPANS, name) == expected

    # who is out now is out of every rule that asks: winback has been open for two weeks
    is_out = bool(expected) and expected[-1][1] is None
    assert built.ask(
        """
        select subscription_status, segment_key from marts.dim_person_states
        inner join identity.int_identity__profiles using (person_id)
        left join marts.fct_segment_memberships as memberships on
            dim_person_states.person_id = memberships.person_id
            and segment_key = 'winback_eligible' and exited_at is null
        where cio_id = ?
        """,
        name,
    ) == [("unsubscribed", None) if is_out else ("subscribed", "winback_eligible")]


def test_heap_is_told_of_an_opt_out_that_only_a_webhook_told(built: Built) -> None:
    assert built.ask(
        "select cio_id, cio_subscription_status, cio_seg_winback_eligible_v1"
        " from heap.heap_user_properties inner join identity.int_identity__profiles"
        " using (person_id) where cio_id in ('by_cio_id', 'back_again', 'topic_by_webhook')"
        " order by cio_id"
    ) == [
        ("back_again", "subscribed", True),
        ("by_cio_id", "unsubscribed", False),
        ("topic_by_webhook", "subscribed", True),
    ]


@pytest.mark.parametrize("name", TWINS)
def test_of_two_workspaces_both_hear_an_opt_out_and_neither_what_takes_it_back(
    built: Built, name: str
) -> None:
    expected = [(at(start), None if end is None else at(end)) for start, end in TWINS[name]]
    assert built.ask(SPANS, built.world.twins[name]) == expected


def test_an_opt_out_from_a_topic_is_none_of_the_delivery(built: Built) -> None:
    assert built.ask(
        "select cio_id, unsubscribed_at from journeys.int_journeys__deliveries"
        " where cio_id like 'topic_%' order by cio_id"
    ) == [("topic_by_sync", None), ("topic_then_all", at(60))]


def test_what_somebody_says_of_a_topic_is_kept_as_such(built: Built) -> None:
    assert built.ask(
        "select cio_id, topic, is_subscribed, entered_at, exited_at"
        " from marts.fct_topic_subscriptions"
        " inner join identity.int_identity__profiles using (person_id)"
    ) == [("topic_by_webhook", "topic_1", False, at(50), None)]


def test_bodies_alone_tell_who_was_shown_what(built: Built) -> None:
    found = built.ask(
        """
        select delivery_id, dim_persons.customer_id, dim_persons.email, exposure_kind, sent_at
        from journeys.int_journeys__deliveries as deliveries
        left join marts.dim_persons using (person_id)
        where deliveries.workspace_id = ?
        """,
        ALONE,
    )
    assert {row[0]: row[1:] for row in found} == {
        delivery: (*(person or (None, None)), "real", at(1.0))
        for delivery, person in PERSONS.items()
    }


def test_bodies_alone_tell_of_journeys_by_their_messages_and_guess_no_minutes(built: Built) -> None:
    found = built.ask(
        "select journey_entry_id, entered_at from journeys.int_journeys__entries"
        " where workspace_id = ? and person_id is not null",
        ALONE,
    )
    assert dict(found) == {entry: at(hours) for entry, hours in ENTRIES.items()}
    assert built.ask(
        "select distinct minutes_since_trigger from journeys.int_journeys__deliveries"
        " where workspace_id = ?",
        ALONE,
    ) == [(None,)]


def test_bodies_alone_tell_of_clicks_conversions_and_subscriptions(built: Built) -> None:
    assert built.ask(
        "select delivery_id, link_id, click_kind from heap.heap_cio_message_clicked"
        " where workspace_id = ?",
        ALONE,
    ) == [("a1", "5", "human")]
    found = built.ask(
        "select delivery_id, goal, value from marts.fct_goal_conversions where workspace_id = ?",
        ALONE,
    )
    assert {delivery: tuple(said) for delivery, *said in found} == GOALS
    assert built.ask(
        "select customer_id, starts_at, ends_at from segments.int_segments__unsubscribed_spans"
        " inner join marts.dim_persons using (person_id) where workspace_id = ? order by 1",
        ALONE,
    ) == [("c_alone_ann", at(50), at(60)), ("c_alone_cat", at(50), None)]


def test_without_a_sync_a_conversion_does_not_wait_for_one(built: Built) -> None:
    assert built.ask(
        "select delivery_id, reason from heap_candidates.int_heap__goal_converted"
        " left join heap.heap_refusals using (publish_key) where workspace_id = ? order by 1",
        ALONE,
    ) == [("a1", None), ("a2", None)]


def test_when_a_sync_comes_what_was_told_is_known_by_its_earlier_key(built: Built) -> None:
    (before,) = [
        key for key, delivery in built.told_first["cio_goal_converted"] if delivery == "u1"
    ]
    assert built.ask(
        "select distinct earlier_publish_key from heap.heap_cio_goal_converted"
        " inner join heap.heap_earlier_keys using (publish_key) where delivery_id = 'u1'"
    ) == [(before,)]
    # what the sync tells replaces what bodies told; of what it does not tell, they are believed
    assert built.ask(
        "select delivery_id, is_called, created_at from staging.stg_customerio__deliveries"
        " where workspace_id = ? order by 1",
        UPGRADED,
    ) == [("u1", False, at(1.0)), ("u2", True, at(0.5))]
    assert built.ask(
        "select journey_entry_id, is_called, entered_at from journeys.int_journeys__entries"
        " where workspace_id = ? order by 1",
        UPGRADED,
    ) == [("j-u1", False, at(0.9)), ("j-u2", True, at(0.5))]


def test_any_order_of_the_days_gives_the_same_rows(
    built: Built, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("exchanged")
    exchanged = build_home(folder, built.world.late, built.world.early)
    for relation in COMPARED:
        query = f"select * from {relation} order by all"
        assert ask(exchanged, query) == built.ask(query), relation


def test_small_inputs_that_were_read_wrongly(shared_data: Path, tmp_path: Path) -> None:
    field = shared_data / "field"
    exports = (
        [field / name for name in ("sem/S1_flags", "sem_ulid", "sem_ulid2")]
        + [field / name for name in ("sem/S12_customer_webhook", "sem/S2_states")]
        + [field / "sem2/U1_two_credits"]
    )
    if not all(export.is_dir() for export in exports):
        pytest.skip("these inputs are not on this machine")
    home = build_home(tmp_path / "home", *exports, as_of=datetime(2026, 6, 1), is_tested=True)
    assert ask(
        home,
        "select delivery_id, metric, actor, source from journeys.int_journeys__delivery_metrics"
        " where workspace_id = 710001 and metric in ('opened', 'clicked', 'converted')"
        " order by delivery_id",
    ) == [
        ("d1clk", "clicked", "machine", "both"),
        ("d1hum", "opened", "human", "both"),
        ("d1opn", "opened", "prefetched", "both"),
        ("d1syn", "opened", "unknown", "both"),
        ("d1ulid", "converted", None, "both"),
    ]
    assert ask(home, "select delivery_id from marts.fct_goal_conversions order by delivery_id") == [
        ("d1ulid",),
        ("e1",),
        ("e2",),
    ]
    assert ask(
        home,
        "select customer_id, subscription_status from marts.dim_person_states"
        " inner join marts.dim_persons using (person_id)"
        " where workspace_id in (710002, 710012) and customer_id in"
        " ('7206', '7209', '8301', '8302', '8303', '8304') order by customer_id",
    ) == [
        ("7206", "unsubscribed"),
        ("7209", "subscribed"),
        ("8301", "unsubscribed"),
        ("8302", "subscribed"),
        ("8303", "subscribed"),
        ("8304", "subscribed"),
    ]
