"""Publishing against the local Heap over real HTTP."""

from __future__ import annotations

from pathlib import Path

import pytest
from publisher_home import FAST, Home

from pipelines.heap.planning import make_plan
from pipelines.heap.publish import publish
from pipelines.sandbox import Sandbox


@pytest.fixture
def home(tmp_path: Path, heap: Sandbox) -> Home:
    return Home(tmp_path / "home", heap.url)


def test_first_run_sends_everything_and_the_second_makes_no_call(home: Home, heap: Sandbox) -> None:
    home.sent(2500)
    home.users(7)
    first = publish(home.settings, home.console, limits=FAST)
    assert (first.status, first.count_events, first.count_users) == ("published", 2500, 7)
    assert [call.count_rows for call in heap.calls] == [10, 1000, 1000, 490, 7]
    assert len(heap.store().events) == 2500
    assert home.ledger("select count(*), count(distinct publish_key) from receipts") == [
        (2500, 2500)
    ]
    assert home.ledger("select count(*) from intents") == [(0,)]
    assert home.ledger("select distinct status from batches") == [("acknowledged",)]
    second = publish(home.settings, home.console, limits=FAST)
    assert (second.status, second.count_calls) == ("nothing", 0)
    assert len(heap.calls) == 5


def test_a_plan_is_sent_byte_for_byte(home: Home, heap: Sandbox) -> None:
    home.sent(20)
    home.users(3)
    plan = make_plan(home.settings, home.console, limits=FAST)
    assert plan.path is not None
    home.sent(5, start=20)
    summary = publish(home.settings, home.console, plan.path, limits=FAST)
    assert (summary.count_events, summary.count_users) == (20, 3)
    assert len(heap.store().events) == 20


def test_only_the_first_run_of_an_app_is_a_canary(home: Home, heap: Sandbox) -> None:
    home.sent(20)
    publish(home.settings, home.console, limits=FAST)
    home.sent(20, start=20)
    publish(home.settings, home.console, limits=FAST)
    assert [call.count_rows for call in heap.calls] == [10, 10, 20]
