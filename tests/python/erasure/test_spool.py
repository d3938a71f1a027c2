"""Whoever is erased leaves the spool too, also while a receiver writes to it."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path

import duckdb
import httpx
import pytest
from publisher_home import OPEN
from publisher_home import settings as publisher_settings
from test_tombstones import people_export
from webhook_calls import bodies, by_customerio, by_heap, metric, segment_page, with_keys

from pipelines.console import Console
from pipelines.erasure.erase import erase
from pipelines.loading import load
from pipelines.receiver import Spool, running_receiver
from pipelines.receiver.senders import senders
from pipelines.sandbox import running_sandbox
from pipelines.settings import Settings

QUIET = Console(as_json=True)


def post(url: str, body: bytes, headers: dict[str, str], path: str = "/customerio") -> int:
    return httpx.post(url + path, content=body, headers=headers).status_code


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    with running_sandbox(limits=OPEN) as heap:
        yield with_keys(publisher_settings(tmp_path / "home", heap.url))


def about(number: int, customer_id: str) -> bytes:
    data = {"delivery_id": f"X{number}", "identifiers": {"id": customer_id, "email": None}}
    return metric(number, data=data)


@pytest.mark.parametrize("is_receiving", [True, False])
def test_an_erasure_reaches_the_spool(
    settings: Settings, tmp_path: Path, is_receiving: bool
) -> None:
    load([str(people_export(tmp_path))], settings, QUIET)
    taken = senders(settings)
    page = segment_page(add=["C1", "C2", 7], remove=["erased@example.com"])
    with Spool(settings.spool_dir) as spool, running_receiver(taken, spool) as url:
        for body in (about(1, "C1"), about(2, "C2")):
            assert post(url, body, by_customerio(body)) == 200
        heap = json.dumps(page).encode()
        assert post(url, heap, by_heap(heap), "/heap") == 200
        if is_receiving:
            certificate = erase(settings, "C1", QUIET)
    if not is_receiving:
        certificate = erase(settings, "C1", QUIET)
    assert [body["event_id"] for body in bodies(settings.spool_dir)] == ["E000002"]
    (kept,) = bodies(settings.spool_dir, "heap_segments")
    assert (kept["data"]["add"], kept["data"]["remove"]) == ([{"id": "C2"}, {"id": 7}], [])
    assert not certificate.proof.found
    assert [name for name in certificate.proof.left if "spool" in name] == []


def test_an_erasure_and_a_later_load_take_one_of_many_out_of_a_page(
    settings: Settings, tmp_path: Path
) -> None:
    export = people_export(tmp_path)
    page = {**segment_page(add=["C1", "C2"]), "received_at": "2026-03-01T00:00:00Z"}
    (export / "heap_segments_1.jsonl").write_text(json.dumps(page) + "\n")
    load([str(export)], settings, QUIET)
    erase(settings, "C1", QUIET)
    again = {**page, "received_at": "2026-03-01T04:00:00Z"}
    (export / "heap_segments_2.jsonl").write_text(json.dumps(again) + "\n")
    load([str(export)], settings, QUIET)
    with duckdb.connect(str(settings.raw_path), read_only=True) as raw:
        found = raw.execute("select data -> '$.add' from heap_connect.segment_pages").fetchall()
    assert [json.loads(add) for (add,) in found] == [[{"id": "C2"}], [{"id": "C2"}]]


def test_an_erasure_reaches_the_snapshots(settings: Settings, tmp_path: Path) -> None:
    load([str(people_export(tmp_path))], settings, QUIET)
    kept = settings.snapshots_dir
    kept.mkdir()
    of_all = {"segment_id": 7, "taken_at": "2026-03-01T00:00:00Z"}
    lines = [
        {**of_all, "count_members": 2},
        {**of_all, "cio_id": "zz", "customer_id": "C1", "email": None},
        {**of_all, "cio_id": "yy", "customer_id": "C2", "email": None},
    ]
    name = "segment_snapshots_111_7-20260301T000000Z.jsonl.gz"
    with gzip.open(kept / name, "wt") as out:
        out.writelines(json.dumps(line) + "\n" for line in lines)
    load([str(kept)], settings, QUIET)
    certificate = erase(settings, "C1", QUIET)
    with gzip.open(kept / name, "rt") as text:
        assert [json.loads(line) for line in text] == [lines[0], lines[2]]
    with duckdb.connect(str(settings.raw_path), read_only=True) as raw:
        found = raw.execute("select customer_id from customerio.segment_snapshots order by 1")
        assert found.fetchall() == [("C2",), (None,)]
    assert not certificate.proof.found
