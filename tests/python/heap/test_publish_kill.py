"""Killed at any instant and run again, Heap holds exactly the rows of an undisturbed run."""

from __future__ import annotations

import random
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import KILLS, PROVE
from killing import is_killed, publishing, seconds_of, started
from publisher_home import APP, FAST, OPEN, Home

from pipelines.heap.publish import publish
from pipelines.sandbox import Fault, Sandbox, running_sandbox

TRIES = KILLS if PROVE else 6


@pytest.fixture
def home(tmp_path: Path, heap: Sandbox) -> Home:
    home = Home(tmp_path / "home", heap.url)
    home.sent(6000, people=50)
    home.users(300)
    return home


def undisturbed(home: Home, tmp_path: Path) -> tuple[dict[str, object], float]:
    """What Heap holds after a run that nobody disturbed, and how long such a run takes."""
    copy = tmp_path / "copy"
    shutil.copytree(home.path, copy)
    with running_sandbox(limits=OPEN) as sandbox:
        seconds = seconds_of(started(publishing, copy, sandbox.url))
        return sandbox.snapshot(APP), seconds


@pytest.mark.parametrize("seed", range(max(TRIES // 20, 1)))
def test_killed_at_any_instant_nothing_is_lost_or_doubled(
    home: Home, heap: Sandbox, tmp_path: Path, seed: int, note: Callable[[str, int], None]
) -> None:
    """Each round kills one run up to ten times (or its share) before letting it finish."""
    expected, seconds = undisturbed(home, tmp_path)
    chance = random.Random(seed)
    count = 0

    def start_anew() -> None:
        """As if nothing had been told."""
        home.settings.ledger_path.unlink()
        with heap.state.lock:
            heap.state.stores.clear()

    for _ in range(2):
        killed = 0
        while killed < min(10, TRIES // 2):
            process = started(publishing, home.path, heap.url)
            if is_killed(process, chance.uniform(0, seconds)):
                killed += 1
            else:  # it was through before
                assert heap.snapshot(APP) == expected
                start_anew()
        publish(home.settings, home.console, limits=FAST)
        assert heap.snapshot(APP) == expected
        assert home.ledger("select count(*), count(distinct publish_key) from receipts") == [
            (6000, 6000)
        ]
        assert home.ledger("select count(*) from intents") == [(0,)]
        assert publish(home.settings, home.console, limits=FAST).count_calls == 0
        count += killed
        start_anew()
    note("kills of a publish", count)


def test_killed_during_the_call_the_rows_are_said_again_under_the_same_keys(
    home: Home, heap: Sandbox, tmp_path: Path
) -> None:
    expected, _ = undisturbed(home, tmp_path)
    heap.inject(Fault("commit_then_timeout", skip=2, seconds=30))
    process = started(publishing, home.path, heap.url)
    deadline = time.monotonic() + 30
    while len(heap.calls) < 3 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert is_killed(process, after=0)
    # Heap has the third call, the ledger does not
    assert home.ledger("select count(*) from receipts") == [(1010,)]
    assert home.ledger("select count(*) from intents") == [(1000,)]
    publish(home.settings, home.console, limits=FAST)
    assert heap.store().count_repeats == 1000
    assert heap.snapshot(APP) == expected


def test_two_publishers_at_once_in_two_processes(home: Home, heap: Sandbox) -> None:
    heap.inject(Fault("slow", seconds=1.0))
    first = started(publishing, home.path, heap.url)
    deadline = time.monotonic() + 30
    while not home.settings.ledger_path.exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    second = started(publishing, home.path, heap.url)
    for process in (first, second):
        process.join(60)
    assert (first.exitcode, second.exitcode) in [(0, 1), (1, 0)]
    assert len(heap.store().events) == 6000
    assert heap.store().count_repeats == 0


def test_a_filed_plan_resumes_where_a_kill_left_it(home: Home, heap: Sandbox) -> None:
    from pipelines.heap.planning import make_plan

    plan = make_plan(home.settings, home.console, limits=FAST)
    heap.inject(Fault("error", times=1000, skip=3))
    with pytest.raises(Exception, match="does not answer"):
        publish(home.settings, home.console, plan.path, limits=FAST)
    with heap.state.lock:
        heap.state.faults.clear()
        heap.state.calls.clear()
    summary = publish(home.settings, home.console, plan.path, limits=FAST)
    assert summary.count_events == 6000 - 2010
    assert [call.count_rows for call in heap.calls] == [1000, 1000, 1000, 990, 300]
    assert len(heap.store().events) == 6000
