"""Names and segments from the App API: real HTTP to the local Customer.io."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from pydantic import SecretStr

from pipelines import http
from pipelines.console import Console
from pipelines.errors import CounterfoilError
from pipelines.loading import load
from pipelines.loading.sources import app_api_segments
from pipelines.loading.sources.app_api import fetched
from pipelines.sandbox import Sandbox, running_sandbox
from pipelines.sandbox.workspace import Profile
from pipelines.settings import Settings

KEY = "a-key-nobody-may-see"
NOW = datetime(2026, 3, 1, 10)


@pytest.fixture
def customerio() -> Iterator[Sandbox]:
    with running_sandbox() as sandbox:
        sandbox.customerio.app_key = KEY
        sandbox.customerio.profiles = [
            Profile("a1", "c1", "ann@b.example"),
            Profile("a2", None, "bob@b.example"),
            Profile("a3", "c3", None),
        ]
        sandbox.customerio.segments = {7: {"a1", "a2"}, 8: set()}
        sandbox.listings.segment_names = {7: "VIP"}
        sandbox.listings.campaigns = [campaign(1, 1_767_225_600), campaign(2, 0)]
        sandbox.listings.actions = {
            1: [{"id": 901, "name": "First mail", "updated": 1_767_225_600, "type": "email"}]
        }
        sandbox.listings.newsletters = [{"id": 5, "name": "June", "updated": 1_767_225_700}]
        yield sandbox


def campaign(number: int, updated: int) -> dict[str, Any]:
    return {
        "id": number,
        "name": f"Campaign {number}",
        "updated": updated,
        "deduplicate_id": f"{number}:{updated}",
        "actions": [],
    }


@pytest.fixture
def asking(settings: Settings, customerio: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setattr(http, "FIRST_PAUSE_SECONDS", 0.01)
    return settings.model_copy(
        update={"app_api_key": SecretStr(KEY), "customerio_url": customerio.url}
    )


@pytest.fixture
def ask(asking: Settings) -> Callable[[datetime], dict[str, Any]]:
    def ask_at(now: datetime) -> dict[str, Any]:
        console = Console(as_json=True)
        with fetched(asking, 111, console, now=now) as folders:
            load([str(folder) for folder in folders], asking, console)
        return console.result

    return ask_at


def rows(settings: Settings, sql: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(settings.raw_path), read_only=True) as raw:
        found: list[tuple[Any, ...]] = raw.execute(sql).fetchall()
    return found


def test_names_and_members_are_loaded(
    asking: Settings, ask: Callable[[datetime], dict[str, Any]]
) -> None:
    result = ask(NOW)
    assert (result["segment_snapshots"], result["segments_unfinished"]) == (2, 0)
    assert rows(
        asking,
        "select workspace_id, kind, thing_id, campaign_id, name, epoch(updated_at)::bigint"
        " from customerio.app_names order by all",
    ) == [
        (111, "action", 901, 1, "First mail", 1_767_225_600),
        (111, "campaign", 1, None, "Campaign 1", 1_767_225_600),
        (111, "campaign", 2, None, "Campaign 2", None),
        (111, "newsletter", 5, None, "June", 1_767_225_700),
        (111, "segment", 7, None, "VIP", None),
        (111, "segment", 8, None, "Segment 8", None),
    ]
    assert rows(
        asking,
        "select workspace_id, segment_id, segment_name, cio_id, customer_id, email, count_members,"
        " taken_at::varchar from customerio.segment_snapshots order by all nulls first",
    ) == [
        (111, 7, None, "a1", "c1", "ann@b.example", None, "2026-03-01 10:00:00"),
        (111, 7, None, "a2", None, "bob@b.example", None, "2026-03-01 10:00:00"),
        (111, 7, "VIP", None, None, None, 2, "2026-03-01 10:00:00"),
        (111, 8, "Segment 8", None, None, None, 0, "2026-03-01 10:00:00"),
    ]


def test_only_what_changed_is_asked_again(
    asking: Settings, customerio: Sandbox, ask: Callable[[datetime], dict[str, Any]]
) -> None:
    def asked_for() -> list[str]:
        found = [path for path, _ in customerio.listings.asked if path.endswith("actions")]
        customerio.listings.asked.clear()
        return found

    ask(NOW)
    assert asked_for() == ["/v1/campaigns/1/actions", "/v1/campaigns/2/actions"]
    ask(NOW + timedelta(hours=2))
    assert asked_for() == []
    customerio.listings.campaigns[1] = campaign(2, 1_767_300_000)
    ask(NOW + timedelta(hours=4))
    assert asked_for() == ["/v1/campaigns/2/actions"]
    ask(NOW + timedelta(days=8))
    assert len(asked_for()) == 2, "nobody says that renaming an action changes its campaign"
    taken = rows(asking, "select distinct taken_at from customerio.segment_snapshots")
    assert len(taken) == 4


def test_a_segment_that_is_being_built_says_nothing(
    asking: Settings,
    customerio: Sandbox,
    ask: Callable[[datetime], dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ask(NOW)
    customerio.customerio.unfinished = {7}
    customerio.customerio.segments[7] = set()
    result = ask(NOW + timedelta(hours=2))
    assert (result["segment_snapshots"], result["segments_unfinished"]) == (1, 1)
    customerio.customerio.unfinished = set()
    members = app_api_segments._members

    def rebuilt_meanwhile(*asked: Any) -> Iterator[Any]:
        yield from members(*asked)
        customerio.customerio.unfinished = {7}

    monkeypatch.setattr(app_api_segments, "_members", rebuilt_meanwhile)
    result = ask(NOW + timedelta(hours=4))
    assert result["segments_unfinished"] >= 1
    assert rows(
        asking, "select distinct taken_at::varchar from customerio.segment_snapshots"
        " where segment_id = 7"
    ) == [("2026-03-01 10:00:00",)]  # fmt: skip


def test_members_come_page_by_page(
    asking: Settings,
    customerio: Sandbox,
    ask: Callable[[datetime], dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(app_api_segments, "PAGE_SIZE", 1)
    ask(NOW)
    pages = [asked for path, asked in customerio.listings.asked if path.endswith("7/membership")]
    assert pages == [{"limit": "1"}, {"limit": "1", "start": "1"}]
    assert rows(
        asking, "select count(cio_id) from customerio.segment_snapshots where segment_id = 7"
    ) == [(2,)]


def test_what_was_stopped_goes_on_behind_what_is_there(
    asking: Settings, customerio: Sandbox, ask: Callable[[datetime], dict[str, Any]]
) -> None:
    customerio.customerio.segments = {number: {"a1"} for number in range(1, 6)}
    members = app_api_segments._members
    asked: list[int] = []

    def stop_at_the_third(api: Any, number: int) -> Iterator[Any]:
        asked.append(number)
        if number == 3:
            raise KeyboardInterrupt
        return members(api, number)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(app_api_segments, "_members", stop_at_the_third)
        with pytest.raises(KeyboardInterrupt):
            ask(NOW)
    customerio.listings.asked.clear()
    result = ask(NOW + timedelta(minutes=20))
    assert asked == [1, 2, 3]
    assert result["segment_snapshots"] == 3
    looked = [p.split("/")[3] for p, _ in customerio.listings.asked if p.endswith("membership")]
    assert looked == ["3", "4", "5"]
    assert rows(asking, "select count(*) from customerio.segment_snapshots") == [(10,)]


def test_it_never_asks_faster_than_it_may(
    asking: Settings, customerio: Sandbox, ask: Callable[[datetime], dict[str, Any]]
) -> None:
    customerio.customerio.segments = {number: set() for number in range(1, 8)}
    customerio.listings.statuses = [429, 503]
    begun = time.monotonic()
    ask(NOW)
    calls = len(customerio.listings.asked) + 2
    assert time.monotonic() - begun >= 0.1 * (calls - 1)
    assert customerio.listings.statuses == []


def test_what_it_told_before_an_outage_is_kept(
    asking: Settings, customerio: Sandbox, ask: Callable[[datetime], dict[str, Any]]
) -> None:
    customerio.listings.campaigns = "nothing"  # type: ignore[assignment]
    with pytest.raises(CounterfoilError, match="not the documented one") as raised:
        ask(NOW)
    assert KEY not in str(raised.value)
    assert [path for path in asking.home.iterdir() if path.name.startswith(".app_api")] == []


def test_the_state_folder_can_be_loaded_again(
    asking: Settings, ask: Callable[[datetime], dict[str, Any]], tmp_path: Path
) -> None:
    ask(NOW)
    sql = "select segment_id, cio_id, taken_at from customerio.segment_snapshots order by all"
    before = rows(asking, sql)
    asking.raw_path.unlink()
    load([str(asking.snapshots_dir)], asking, Console(as_json=True))
    assert rows(asking, sql) == before
