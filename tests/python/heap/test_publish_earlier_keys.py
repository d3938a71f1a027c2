"""What Heap was told under a webhook's id is not told again under the id of the sync."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import duckdb
import pytest
from publisher_home import AS_OF, FAST, Home

from pipelines.errors import CounterfoilError
from pipelines.heap.planning import make_plan
from pipelines.heap.publish import publish
from pipelines.sandbox import Sandbox

MART = "heap.heap_cio_goal_converted"


@pytest.fixture
def home(tmp_path: Path, heap: Sandbox) -> Home:
    home = Home(tmp_path / "home", heap.url)
    for key in ("key-told-by-a-webhook", "key-told-by-the-sync"):
        home.insert(MART, [row(key)])
    return home


def row(key: str) -> dict[str, object]:
    return {
        "publish_key": key,
        "heap_identity": "ann@shop.example",
        "person_id": "ann",
        "occurred_at": AS_OF - timedelta(days=1),
    }


def the_sync_tells(home: Home) -> None:
    """The event now goes by the sync's id, and so does one that only now is told."""
    home.sql(
        f"update {MART} set publish_key = 'key-under-the-sync'"
        " where publish_key = 'key-told-by-a-webhook'",
        "insert into heap.heap_earlier_keys values"
        " ('key-under-the-sync', 'key-told-by-a-webhook'),"
        " ('key-of-a-late-one', 'key-never-told-at-all')",
    )
    home.insert(MART, [row("key-of-a-late-one")])


def publish_all(home: Home) -> int:
    return publish(home.settings, home.console, limits=FAST).count_events


def test_an_event_told_before_the_sync_came_is_told_once(home: Home) -> None:
    assert publish_all(home) == 2
    the_sync_tells(home)
    assert publish_all(home) == 1
    assert {key for (key,) in home.ledger("select publish_key from receipts")} == {
        "key-told-by-a-webhook",
        "key-told-by-the-sync",
        "key-of-a-late-one",
    }
    # and once more: nothing is left
    assert publish_all(home) == 0


def test_what_may_have_been_told_under_the_other_key_is_not_told_either(home: Home) -> None:
    assert publish_all(home) == 2
    # as a kill between the call and its answer leaves it
    with duckdb.connect(str(home.settings.ledger_path)) as db:
        db.execute(
            "insert into intents by name select batch_id, target, kind, publish_key, heap_identity "
            "from receipts where publish_key = 'key-told-by-a-webhook'"
        )
        db.execute("delete from receipts where publish_key = 'key-told-by-a-webhook'")
    the_sync_tells(home)
    assert make_plan(home.settings, home.console, limits=FAST).count_events == 1


def test_nothing_is_planned_where_earlier_keys_are_not_known(home: Home) -> None:
    home.sql("drop table heap.heap_earlier_keys")
    with pytest.raises(CounterfoilError, match=r"heap_earlier_keys.*counterfoil build"):
        make_plan(home.settings, home.console, limits=FAST)
