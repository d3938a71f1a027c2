"""Heap's limits are kept exactly, by a clock that the test turns."""

from __future__ import annotations

import random
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from publisher_home import Home

from pipelines.calling.pacing import Pacer
from pipelines.heap.client import parse_retry_after
from pipelines.heap.limits import Clock, Limits
from pipelines.heap.publish import publish
from pipelines.sandbox import Fault, Sandbox, SandboxLimits, running_sandbox

NOW = datetime(2026, 3, 1)


class Time:
    """A clock that moves only when somebody sleeps."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds

    def clock(self) -> Clock:
        return Clock(
            now=lambda: NOW + timedelta(seconds=self.seconds),
            monotonic=lambda: self.seconds,
            sleep=self.sleep,
        )


@pytest.mark.parametrize("seed", range(5))
def test_no_minute_holds_more_than_heap_allows(seed: int) -> None:
    chance = random.Random(seed)
    time = Time()
    pacer = Pacer(Limits(), time.clock())
    sent: list[tuple[float, Counter[str]]] = []
    for _ in range(400):
        rows = Counter(
            {
                f"user{chance.randrange(30)}": chance.randint(1, 300)
                for _ in range(chance.randint(1, 3))
            }
        )
        while (delay := pacer.delay(rows)) > 0:
            time.sleep(delay)
        pacer.spend(rows)
        sent.append((time.seconds, rows))
    for start, _ in sent:
        window = [rows for at, rows in sent if start <= at < start + 59.999]
        assert sum(sum(rows.values()) for rows in window) <= 15_000
        total: Counter[str] = Counter()
        for rows in window:
            total.update(rows)
        assert max(total.values()) <= 1_000


def test_full_calls_reach_heaps_own_rate() -> None:
    time = Time()
    pacer = Pacer(Limits(events_per_identity_minute=None), time.clock())
    rows = Counter({"a": 1000})
    for _ in range(150):
        while (delay := pacer.delay(rows)) > 0:
            time.sleep(delay)
        pacer.spend(rows)
    assert 9.8 * 60 < time.seconds < 10.05 * 60


def test_429_halves_the_rate_and_success_brings_it_back() -> None:
    pacer = Pacer(Limits(), Time().clock())
    pacer.slow_down()
    assert pacer.rate == 125
    for _ in range(20):
        pacer.slow_down()
    assert pacer.rate == 250 / 8
    for _ in range(20):
        pacer.speed_up()
    assert pacer.rate == 250


def test_retry_after_is_obeyed_in_both_forms(tmp_path: Path, heap: Sandbox) -> None:
    assert parse_retry_after("7", NOW) == 7
    assert parse_retry_after("Sun, 01 Mar 2026 00:00:30 GMT", NOW) == 30
    assert parse_retry_after("soon", NOW) is None
    home = Home(tmp_path / "home", heap.url)
    home.sent(5)
    heap.inject(Fault("throttle", times=2, retry_after="37"))
    time = Time()
    publish(home.settings, home.console, clock=time.clock())
    assert 74 <= time.seconds < 80


def test_a_storm_of_429_is_sat_out(tmp_path: Path, heap: Sandbox) -> None:
    home = Home(tmp_path / "home", heap.url)
    home.sent(3000)
    heap.inject(Fault("throttle", times=7, skip=1))
    time = Time()
    assert publish(home.settings, home.console, clock=time.clock()).status == "published"
    assert len(heap.store().events) == 3000
    assert 30 < time.seconds < 400


def test_a_heavy_identity_is_spread_over_the_whole_plan(tmp_path: Path, heap: Sandbox) -> None:
    home = Home(tmp_path / "home", heap.url)
    home.sent(28_000, people=28_000)
    home.sql(
        "update heap.heap_cio_message_sent set heap_identity = 'heavy@shop.example' "
        "where publish_key < 'sent-000001900'",
        "update marts.dim_persons set heap_identity = 'heavy@shop.example' where person_id in "
        "(select person_id from heap.heap_cio_message_sent "
        "where heap_identity = 'heavy@shop.example')",
    )
    time = Time()
    publish(home.settings, home.console, clock=time.clock())
    # two minutes of events, and no more than that for the 1,900 of one identity
    assert 100 < time.seconds < 130


def test_the_local_heap_with_heaps_limits_never_has_to_refuse(tmp_path: Path) -> None:
    limits = SandboxLimits(events_per_minute=2000, events_per_identity_minute=200)
    with running_sandbox(limits=limits) as heap:
        home = Home(tmp_path / "home", heap.url)
        home.sent(5000, people=40)
        ours = Limits(events_per_minute=2000, events_per_identity_minute=200, rows_per_call=400)
        summary = publish(home.settings, home.console, limits=ours, max_minutes=0.03)
        assert summary.status == "resumes"
        assert 400 <= summary.count_events <= 2000
        assert {call.status for call in heap.calls} == {200}
