"""Exports in object stores: real HTTP to a server of this machine that stands for each."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
import stores
from stores import RemoteStore
from test_load import load, rows

from pipelines.errors import CounterfoilError, UsageError
from pipelines.loading.remote import GONE, REPLACED
from pipelines.settings import PROJECT_DIR

logging.getLogger("werkzeug").setLevel(logging.ERROR)

HEAD = b"event_id,event_name,occurred_at,email\n"
NAMES = ["behavior_1.csv", "deep/er/behavior_[2].csv", "dt=1 %2F/behavior ü.csv"]
STORES: dict[str, Callable[[Path], AbstractContextManager[RemoteStore]]] = {
    "s3": lambda _: stores.s3(),
    "gs": stores.gs,
    "az": stores.az,
}
BUSY: stores.Answer = (503, {}, b"")


def row(event_id: str) -> bytes:
    return HEAD + f"{event_id},a,2026-01-01,x@example.com\n".encode()


@pytest.fixture(scope="module", params=list(STORES))
def running(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RemoteStore]:
    if request.param == "az" and stores.azurite() is None:
        pytest.skip("Azure's emulator is a package of npm: make azurite")
    with STORES[request.param](tmp_path_factory.mktemp("store")) as store:
        for name in NAMES:
            store.put(f"export/{name}", row(name))
        for name in ("other.txt", ".hidden/behavior_9.csv"):
            store.put(f"export/{name}", b"x")
        yield store


@pytest.fixture
def store(running: RemoteStore, monkeypatch: pytest.MonkeyPatch) -> Iterator[RemoteStore]:
    """The store, with credentials for it in an environment that has no others."""
    for name in list(os.environ):
        if name not in stores.nobody({}):
            monkeypatch.delenv(name)
    for name, value in running.environment.items():
        monkeypatch.setenv(name, value)
    rule = running.door.rule
    yield running
    running.door.rule = rule


def answering(store: RemoteStore, answer: Callable[[str, str], stores.Answer | None]) -> None:
    """Have the door answer by itself, where `answer` does."""
    before = store.door.rule
    store.door.rule = lambda method, path: (
        (before(method, path) if before else None) or answer(method, path)
    )


def test_an_export_in_a_store_is_read_like_any_other(store: RemoteStore, tmp_path: Path) -> None:
    summary = load(tmp_path / "home", store.url("export"))
    assert (summary.files_loaded, summary.quarantined) == (3, [])
    assert summary.unknown == ["other.txt"]
    got = rows(
        tmp_path / "home", "select event_id, _source_folder, _source_file from behavior.events"
    )
    assert sorted(got) == sorted(
        (name, name.rpartition("/")[0], name.rpartition("/")[2]) for name in NAMES
    )
    asked: list[str] = []
    answering(store, lambda method, path: asked.append(path))
    again = load(tmp_path / "home", store.url("export"))
    assert (again.files_loaded, again.files_known) == (0, 3)
    assert not [
        path for path in asked if any(store.reads("GET", path, f"export/{n}") for n in NAMES)
    ]
    with pytest.raises(UsageError, match="There is no export at"):
        load(tmp_path / "home", store.url("nowhere"))


def test_an_object_replaced_or_taken_while_it_is_downloaded_is_read_the_next_time(
    store: RemoteStore, tmp_path: Path
) -> None:
    store.put("swap/behavior_1.csv", row("old"))
    store.put("swap/behavior_2.csv", row("beside"))

    def swap(method: str, path: str) -> None:
        if store.reads(method, path, "swap/behavior_1.csv") and "2.csv" not in path:
            store.put("swap/behavior_1.csv", row("new"))

    rule = store.door.rule
    answering(store, swap)
    summary = load(tmp_path / "home", store.url("swap"))
    assert summary.quarantined == [("behavior_1.csv", REPLACED)]
    assert rows(tmp_path / "home", "select event_id from behavior.events") == [("beside",)]
    store.door.rule = rule
    assert load(tmp_path / "home", store.url("swap")).quarantined == []
    assert rows(tmp_path / "home", "select event_id from behavior.events order by 1") == [
        ("beside",),
        ("new",),
    ]
    answering(
        store, lambda method, path: (404, {}, b"") if "1.csv" in path.rpartition("/")[2] else None
    )
    other = load(tmp_path / "other", store.url("swap"))
    assert other.quarantined == [("behavior_1.csv", GONE)]


def test_credentials_that_have_expired_or_may_not_read_are_named(
    store: RemoteStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = {"s3": "have expired; renew them (AWS_", "gs": "GOOGLE_APP", "az": "AZURE_STORAGE_"}
    rule = store.door.rule
    answering(store, lambda method, path: (403, {}, b""))
    with pytest.raises(CounterfoilError, match="give this machine credentials that may list"):
        load(tmp_path / "home", store.url("export"))
    store.door.rule = rule
    with store.expired() as environment:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        with pytest.raises(CounterfoilError) as caught:
            load(tmp_path / "home", store.url("export"))
    assert "may not be read: the credentials have expired" in str(caught.value)
    assert expected[store.scheme] in str(caught.value)
    shown = str(caught.value)
    assert not [v for v in store.environment.values() if v in shown]
    assert "SharedAccess" not in shown


@pytest.mark.parametrize(
    "running", ["s3"], indirect=True
)  # the others keep a token that was good when they asked
def test_credentials_that_expire_on_the_way_stop_the_asking(
    store: RemoteStore, tmp_path: Path
) -> None:
    expired = store.expiry
    asked: list[str] = []

    def expire(method: str, path: str) -> stores.Answer | None:
        if any(store.reads(method, path, f"many/behavior_{n}.csv") for n in range(40)):
            asked.append(path)
            return expired
        return None

    for number in range(40):
        store.put(f"many/behavior_{number}.csv", row(str(number)))
    answering(store, expire)
    summary = load(tmp_path / "home", store.url("many"))
    assert len(summary.quarantined) == 40
    assert {why for _, why in summary.quarantined} == {
        "it was not downloaded: the credentials have expired; renew them (AWS_ACCESS_KEY_ID and"
        " AWS_SECRET_ACCESS_KEY, AWS_PROFILE, or the role of this machine) and run it again"
    }
    assert len(set(asked)) <= 8  # those under way at once, and no more
    store.door.rule = None
    assert load(tmp_path / "home", store.url("many")).files_loaded == 40


@pytest.mark.parametrize(
    "running", ["s3"], indirect=True
)  # the libraries of the others ask again for minutes
def test_a_store_that_is_too_busy_says_so(store: RemoteStore, tmp_path: Path) -> None:
    rule = store.door.rule
    answering(store, lambda method, path: BUSY)
    with pytest.raises(CounterfoilError, match="the store is too busy or fails"):
        load(tmp_path / "home", store.url("export"))
    store.door.rule = rule
    answering(store, lambda m, p: BUSY if store.reads(m, p, f"export/{NAMES[0]}") else None)
    summary = load(tmp_path / "home", store.url("export"))
    assert (
        NAMES[0],
        "the store was too busy to send it, or failed: run it again in some minutes",
    ) in (summary.quarantined)
    store.door.rule = rule
    assert load(tmp_path / "home", store.url("export")).quarantined == []


def test_nothing_but_the_sentence_reaches_who_runs_it(store: RemoteStore, tmp_path: Path) -> None:
    answering(store, lambda method, path: (403, {}, b"<secret>"))
    result = subprocess.run(
        [sys.executable, "cli.py", "load", store.url("export")],
        cwd=PROJECT_DIR,
        env=stores.nobody({**store.environment, "COUNTERFOIL_HOME": str(tmp_path / "home")}),
        capture_output=True,
        text=True,
        check=False,
    )
    [line] = (result.stdout + result.stderr).strip().splitlines()
    assert result.returncode == 1
    assert line.startswith(f"Error: {store.url('export')} may not be read: give this machine")


@pytest.mark.prove
@pytest.mark.parametrize("running", ["s3"], indirect=True)  # filling the others takes many minutes
def test_a_listing_of_twenty_thousand_files(store: RemoteStore, tmp_path: Path) -> None:
    store.fill("large", 20_000)
    store.put("large/zz/behavior_last.csv", row("last"))
    summary = load(tmp_path / "home", store.url("large"))
    assert (summary.files_loaded, len(summary.unknown)) == (1, 20_000)
