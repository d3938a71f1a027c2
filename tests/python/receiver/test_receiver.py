"""The receiver takes what is signed, once, in time, and puts it on disk before it says so."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import duckdb
import httpx
import pytest
from conftest import PROVE
from pydantic import SecretStr
from webhook_calls import (
    KEY,
    SECRET,
    bodies,
    by_customerio,
    by_heap,
    metric,
    post_many,
    segment_page,
    with_keys,
)

from pipelines.console import Console
from pipelines.errors import CounterfoilError, UsageError
from pipelines.receiver import Spool, running_receiver, serve_webhooks
from pipelines.receiver.senders import senders
from pipelines.receiver.signatures import verify_signature
from pipelines.receiver.spool import close_files
from pipelines.road import load_exports
from pipelines.settings import Settings

PAGE = segment_page(add=["c1"])
MOMENT = "webhooks-20260301T000000000000Z-"


class Wall:
    """The receiver's clock."""

    now = 0.0


@pytest.fixture
def spool_folder(tmp_path: Path) -> Path:
    return tmp_path / "spool"


@pytest.fixture
def receiver(settings: Settings, spool_folder: Path) -> Iterator[str]:
    Wall.now = float(int(time.time()))
    taken = senders(with_keys(settings))
    with (
        Spool(spool_folder) as spool,
        running_receiver(taken, spool, now=lambda: Wall.now, most_bytes=100_000) as url,
    ):
        yield url


def post(url: str, body: bytes, headers: dict[str, str], path: str = "/customerio") -> int:
    return httpx.post(url + path, content=body, headers=headers).status_code


def on_disk(spool: Path, family: str = "webhooks") -> list[dict[str, Any]]:
    """What is on disk already, in files that are still being written."""
    return [
        json.loads(line)
        for path in sorted(spool.glob(f".{family}*.jsonl"))
        for line in path.read_text().splitlines()
    ]


def test_the_vectors_are_told_apart_at_their_own_time(
    settings: Settings, tmp_path: Path, shared_data: Path
) -> None:
    document = json.loads((shared_data / "webhook_signature_vectors.json").read_text())
    vectors = document["vectors_computed_here_from_that_rule"]
    judged = []
    for number, vector in enumerate(vectors):
        keyed = settings.model_copy(update={"webhook_key": SecretStr(vector["signing_key"])})
        taken = senders(keyed)
        at = float(vector["X-CIO-Timestamp"])
        headers = {name: vector[name] for name in ("X-CIO-Timestamp", "X-CIO-Signature")}
        body = vector["raw_body"].encode()
        spool_folder = tmp_path / str(number)
        with (
            Spool(spool_folder) as spool,
            running_receiver(taken, spool, now=lambda at=at: at) as url,  # type: ignore[misc]
        ):
            judged.append((post(url, body, headers) == 200, post(url, body, headers)))
        assert bodies(spool_folder) == ([json.loads(body)] if judged[-1][0] else [])
    assert judged == [(v["valid"], 409 if v["valid"] else 401) for v in vectors]
    assert [v["valid"] for v in vectors].count(False) == 3


def test_a_body_is_on_disk_as_it_came_before_it_is_answered(
    receiver: str, spool_folder: Path
) -> None:
    body = b'{ "event_id" : "E1",\r\n  "data": {"text": "a \\n b \\ud83d\\ude00"},\n"metric": "x"}'
    assert post(receiver, body, by_customerio(body)) == 200
    (path,) = spool_folder.glob(".webhooks*.jsonl")
    assert path.read_bytes() == body.replace(b"\r\n", b"  ").replace(b"\n", b" ") + b"\n"
    assert path.stat().st_mode & 0o077 == 0
    assert list(spool_folder.glob("webhooks*")) == [], "no load sees it while it is written"


def test_heaps_body_says_when_it_was_received(receiver: str, spool_folder: Path) -> None:
    Wall.now = 1_800_000_000.25
    body = json.dumps(PAGE, indent=1).encode()
    assert post(receiver, body, by_heap(body, Wall.now), "/heap") == 200
    lying = json.dumps({**PAGE, "received_at": "1999-01-01"}).encode()
    assert post(receiver, lying, by_heap(lying, Wall.now), "/heap") == 200
    stamped = {"received_at": "2027-01-15T08:00:00.250000Z", **PAGE}
    assert on_disk(spool_folder, "heap_segments") == [stamped, stamped]


@pytest.mark.parametrize(
    ("change", "status"),
    [
        (lambda body, now: (body, by_customerio(body, now)), 200),
        (lambda body, now: (body, by_customerio(body, now - 300)), 200),
        (lambda body, now: (body, by_customerio(body, now - 302)), 401),
        (lambda body, now: (body, by_customerio(body, now + 62)), 401),
        (lambda body, now: (body, by_customerio(body, now, "another")), 401),
        (lambda body, now: (body + b" ", by_customerio(body, now)), 401),
        (lambda body, now: (body, {}), 401),
        (lambda body, now: (body, {**by_customerio(body, now), "X-CIO-Timestamp": "x"}), 401),
        (lambda body, now: (body, {**by_customerio(body, now), "X-CIO-Signature": "ä"}), 401),
        (lambda body, now: (b"[]", by_customerio(b"[]", now)), 400),
        (lambda body, now: (b"{", by_customerio(b"{", now)), 400),
        (lambda body, now: (b'{"a":"\xff"}', by_customerio(b'{"a":"\xff"}', now)), 400),
        (lambda body, now: (b"x" * 100_001, by_customerio(b"x" * 100_001, now)), 413),
    ],
)
def test_what_is_taken_and_what_is_refused(
    receiver: str,
    spool_folder: Path,
    change: Callable[[bytes, float], tuple[bytes, dict[str, str]]],
    status: int,
) -> None:
    body, headers = change(metric(1), Wall.now)
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    answer = httpx.post(receiver + "/customerio", content=body, headers=raw)
    assert answer.status_code == status
    assert KEY not in answer.text
    assert len(on_disk(spool_folder)) == (status == 200)


@pytest.mark.parametrize(
    ("at", "secret", "status"),
    [(0, SECRET, 200), (-60, SECRET, 200), (-62, SECRET, 401), (62, SECRET, 401), (0, "x", 401)],
)
def test_heaps_signature_is_good_for_a_minute(
    receiver: str, at: float, secret: str, status: int
) -> None:
    body = json.dumps(PAGE).encode()
    assert post(receiver, body, by_heap(body, Wall.now + at, secret), "/heap") == status


def test_a_chunked_body_is_no_way_around_the_limit(receiver: str, spool_folder: Path) -> None:
    body = b"x" * 100_001
    answer = httpx.post(
        receiver + "/customerio", content=iter([body]), headers=by_customerio(body, Wall.now)
    )
    assert answer.status_code == 413


def test_a_replay_is_refused_also_by_the_next_receiver(
    settings: Settings, spool_folder: Path
) -> None:
    taken = senders(with_keys(settings))
    Wall.now = time.time()
    body = metric(1)
    headers = by_customerio(body, Wall.now)
    spelled = {**headers, "X-CIO-Signature": headers["X-CIO-Signature"].upper()}
    for first in (200, 409, 409):
        with (
            Spool(spool_folder) as spool,
            running_receiver(taken, spool, now=lambda: Wall.now) as url,
        ):
            assert post(url, body, headers) == first
            assert post(url, body, spelled) == 409
            Wall.now += 100
    assert bodies(spool_folder) == [json.loads(body)]
    # a sender that tries again signs again
    with (
        Spool(spool_folder) as spool,
        running_receiver(taken, spool, now=lambda: Wall.now) as url,
    ):
        assert post(url, body, by_customerio(body, Wall.now)) == 200


def test_what_was_seen_is_forgotten_when_it_could_be_good_no_more(
    settings: Settings, spool_folder: Path
) -> None:
    taken = senders(with_keys(settings))
    Wall.now = time.time()
    with (
        Spool(spool_folder) as spool,
        running_receiver(taken, spool, now=lambda: Wall.now) as url,
    ):
        for number in range(4):
            body = metric(number)
            assert post(url, body, by_customerio(body, Wall.now)) == 200
            Wall.now += 361
            time.sleep(0.6)
    assert len(list(spool_folder.glob(".seen-*"))) <= 3


def test_the_files_are_what_a_load_reads(settings: Settings, spool_folder: Path) -> None:
    taken = senders(with_keys(settings), workspace_id=111)
    with Spool(spool_folder) as spool, running_receiver(taken, spool) as url:
        for number in range(3):
            assert post(url, metric(number), by_customerio(metric(number))) == 200
    load_exports(settings, Console(as_json=True), [str(spool_folder)])
    with duckdb.connect(str(settings.raw_path), read_only=True) as raw:
        found = raw.execute("select workspace_id, event_id from customerio.webhooks order by all")
        assert found.fetchall() == [(111, "E000000"), (111, "E000001"), (111, "E000002")]


def test_files_are_closed_when_they_are_old_large_or_asked_for(
    settings: Settings, spool_folder: Path
) -> None:
    taken = senders(with_keys(settings))
    Wall.now = time.time()

    def closed(count: int) -> bool:
        until = time.monotonic() + 5
        while len(list(spool_folder.glob("webhooks*"))) < count and time.monotonic() < until:
            time.sleep(0.02)
        return len(list(spool_folder.glob("webhooks*"))) == count

    with (
        Spool(spool_folder, most_bytes=1_000) as spool,
        running_receiver(taken, spool, now=lambda: Wall.now) as url,
    ):
        post(url, metric(1), by_customerio(metric(1), Wall.now))
        Wall.now += 61
        assert closed(1), "old"
        big = metric(2, more="x" * 1_000)
        post(url, big, by_customerio(big, Wall.now))
        assert closed(2), "large"
        post(url, metric(3), by_customerio(metric(3), Wall.now))
        close_files(spool_folder)
        assert closed(3), "asked for"
    found = sorted(body["event_id"] for body in bodies(spool_folder))
    assert found == ["E000001", "E000002", "E000003"]


def test_what_a_kill_left_is_mended(spool_folder: Path, settings: Settings) -> None:
    spool_folder.mkdir()
    whole = b'{"event_id": "E1"}\n'
    torn = {
        "0000000a": (whole + b'{"event_id": "E', whole),
        "0000000b": (whole + b"\0" * 40 + b"\n" + b"\0" * 10, whole),
        "0000000c": (whole, whole),
        "0000000d": (b'{"ev', b""),
        "0000000e": (b"", b""),
    }
    for name, (left, _) in torn.items():
        (spool_folder / f".{MOMENT}{name}.jsonl").write_bytes(left)
    spool = Spool(spool_folder)
    found = {path.name: path.read_bytes() for path in spool_folder.glob("webhooks*")}
    assert found == {f"{MOMENT}{name}.jsonl": after for name, (_, after) in torn.items() if after}
    assert list(spool_folder.glob(".webhooks*")) == []
    spool.__exit__()


def test_nobody_is_answered_before_the_disk_is(
    receiver: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sync, released = os.fdatasync, threading.Event()

    def slow(handle: int) -> None:
        released.wait(10)
        sync(handle)

    monkeypatch.setattr(os, "fdatasync", slow)
    with ThreadPoolExecutor() as pool:
        posting = pool.submit(post, receiver, metric(1), by_customerio(metric(1), Wall.now))
        with pytest.raises(TimeoutError):
            posting.result(timeout=0.5)
        released.set()
        assert posting.result(timeout=10) == 200


def test_a_disk_that_fails_is_no_answer(
    receiver: str, spool_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    assert post(receiver, metric(1), by_customerio(metric(1), Wall.now)) == 200
    sync = os.fdatasync
    monkeypatch.setattr(os, "fdatasync", full)
    headers = by_customerio(metric(2), Wall.now)
    assert post(receiver, metric(2), headers) == 503
    assert httpx.get(receiver + "/healthz").status_code == 503
    monkeypatch.setattr(os, "fdatasync", sync)
    assert post(receiver, metric(2), headers) == 200, "what was not kept may come again"
    assert httpx.get(receiver + "/healthz").json()["counts"] == {"taken": 2, "not kept": 1}
    Wall.now += 61
    time.sleep(0.6)
    found = [body["event_id"] for body in bodies(spool_folder)]
    assert sorted(set(found)) == ["E000001", "E000002"]


def test_500_bodies_a_second_on_one_core(
    settings: Settings, tmp_path: Path, note: Callable[[str, int], None]
) -> None:
    from serving import served

    seconds = 60 if PROVE else 5
    with served(tmp_path, core=0) as server:
        posted = asyncio.run(post_many(server.url, 500 * seconds, a_second=500))
    assert posted.statuses == {200: 500 * seconds}
    found = sorted(body["event_id"] for body in bodies(server.spool))
    assert found == sorted(json.loads(body)["event_id"] for body in posted.acknowledged)
    note("milliseconds at most of a body", int(max(posted.seconds) * 1000))
    assert max(posted.seconds) < 2, "well under the four seconds that Customer.io waits"


def test_without_a_key_nothing_is_taken(settings: Settings, spool_folder: Path) -> None:
    with pytest.raises(UsageError, match="CUSTOMERIO_WEBHOOK_KEY or HEAP_WEBHOOK_SECRET"):
        serve_webhooks(settings, Console(as_json=True), port=0)
    only = settings.model_copy(update={"webhook_key": SecretStr(KEY)})
    taken = senders(only)
    body = json.dumps(PAGE).encode()
    with Spool(spool_folder) as spool, running_receiver(taken, spool) as url:
        answer = httpx.post(url + "/heap", content=body, headers=by_heap(body))
        assert answer.status_code == 503
        assert answer.json() == {"refused": "HEAP_WEBHOOK_SECRET is not set"}


def test_a_spool_is_held_by_one(spool_folder: Path) -> None:
    with (
        Spool(spool_folder),
        pytest.raises(CounterfoilError, match="Another receiver writes to the spool"),
    ):
        Spool(spool_folder)


def test_a_taken_port_is_said(receiver: str, settings: Settings, tmp_path: Path) -> None:
    port = int(receiver.rpartition(":")[2])
    with pytest.raises(CounterfoilError, match="choose another with --host and --port"):
        serve_webhooks(
            with_keys(settings), Console(as_json=True), port=port, spool=tmp_path / "other"
        )


def test_signatures_are_told_apart(shared_data: Path) -> None:
    document = json.loads((shared_data / "webhook_signature_vectors.json").read_text())
    vectors = [vector for part in document.values() if isinstance(part, list) for vector in part]
    verdicts = {
        verify_signature(
            vector["signing_key"],
            vector["X-CIO-Timestamp"],
            vector["raw_body"],
            vector["X-CIO-Signature"],
        )
        is vector["valid"]
        for vector in vectors
        if "valid" in vector
    }
    assert verdicts == {True}
    assert {vector["valid"] for vector in vectors if "valid" in vector} == {True, False}
