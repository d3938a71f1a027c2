"""Export files are rewritten on request: without the person, and with everybody else whole."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import fastavro
import pytest
from publisher_home import OPEN
from publisher_home import settings as publisher_settings
from test_tombstones import all_rows, people_export

from pipelines.console import Console
from pipelines.erasure import exports as rewriting
from pipelines.erasure.erase import erase
from pipelines.errors import CounterfoilError, UsageError
from pipelines.loading import load
from pipelines.sandbox import running_sandbox
from pipelines.settings import Settings

QUIET = Console(as_json=True)
HEAP_USERS = {
    "type": "record",
    "name": "users",
    "fields": [
        {"name": "user_id", "type": "long"},
        {"name": "identity", "type": ["null", "string"]},
        {"name": "email", "type": ["null", "string"]},
    ],
}


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    with running_sandbox(limits=OPEN) as heap:  # Heap Connect shows the person: Heap is asked
        yield publisher_settings(tmp_path / "home", heap.url)


LINE = '{"event_id":"a1","event_name":"order","occurred_at":"2026-01-02T00:00:00",%s}\n'


def exported(folder: Path) -> Path:
    """Everything that `people_export` has, packed lines, Avro, and files that no load reads."""
    export = people_export(folder)
    with gzip.open(export / "behavior_app.jsonl.gz", "wt") as lines:
        lines.write(LINE % '"customer_id": "C1"')
        lines.write(LINE.replace("a1", "a2") % '"customer_id":"C2", "email":"erased@example.com"')
        lines.write(LINE.replace("a1", "a3") % '"customer_id":"C10","category":"C1",  "value":1.10')
    heap = [
        {"user_id": 1, "identity": "Erased@example.com", "email": None},
        {"user_id": 2, "identity": "kept@example.com", "email": "unerased@example.com"},
    ]
    (export / "heap").mkdir()
    with (export / "heap" / "users_1.avro").open("wb") as avro:
        fastavro.writer(avro, fastavro.parse_schema(HEAP_USERS), heap, codec="deflate")
    (export / "list.txt").write_text("of erased@example.com")
    (export / "behavior_other.csv").write_text(
        "event_id,customer_id,email,event_name,occurred_at\r\n"
        '9,C3,c@example.com,"or""der",2026-01-02T00:00:00\r\n'
    )
    return export


def content(export: Path, name: str) -> list[tuple[object, ...]]:
    with duckdb.connect() as db:
        found: list[tuple[object, ...]] = db.execute(
            f"select * from '{export / name}' order by all"
        ).fetchall()
    return found


def test_export_files_lose_the_person_and_nothing_else(settings: Settings, tmp_path: Path) -> None:
    export = exported(tmp_path)
    load([str(export)], settings, QUIET)
    before = {path.name: path.read_bytes() for path in export.iterdir() if path.is_file()}
    export.joinpath("webhooks.jsonl").chmod(0o640)
    certificate = erase(settings, "Erased@Example.com", QUIET, exports=[export])
    assert certificate.proof.found == []
    assert certificate.files_rewritten == {"exports": 8}
    assert {name for name in before if (export / name).read_bytes() == before[name]} == {
        "list.txt", "behavior_other.csv"
    }  # fmt: skip
    assert export.joinpath("webhooks.jsonl").stat().st_mode & 0o777 == 0o640
    assert [row[1] for row in content(export, "people_v5_7_1.parquet")] == ["C2"]
    assert [row[1] for row in content(export, "deliveries_v5_7_1.parquet")] == ["dlv-a02"]
    assert [row[2] for row in content(export, "metrics_v5_7_1.parquet")] == ["dlv-a02"]
    assert [row[2:4] for row in content(export, "attributes_v5_7_1.parquet")] == [
        ("mail", "unerased@example.com"), ("note", "of (erased)."), ("referred_by", None),
    ]  # fmt: skip
    assert (export / "behavior.csv").read_text() == (
        "event_id,customer_id,email,event_name,occurred_at\n"
        "2,C2,,order,2026-01-02T00:00:00\n"
        "3,C2,unerased@example.com,order,2026-01-02T00:00:00\n"
    )
    [body] = (export / "webhooks.jsonl").read_text().splitlines()
    assert json.loads(body)["data"]["cc"] == [None, "x@example.com"]
    with gzip.open(export / "behavior_app.jsonl.gz", "rt") as lines:
        assert lines.read().splitlines(keepends=True) == [
            LINE.replace("a1", "a2") % '"customer_id":"C2", "email":null',
            LINE.replace("a1", "a3") % '"customer_id":"C10","category":"C1",  "value":1.10',
        ]
    with (export / "heap" / "users_1.avro").open("rb") as avro:
        users: list[Any] = list(fastavro.reader(avro))
    assert users == [
        {"user_id": 2, "identity": "kept@example.com", "email": "unerased@example.com"}
    ]
    left = {name: why for name, why in certificate.proof.left.items() if name[:8] == "exports/"}
    assert left == {"exports/list.txt": "still names the person"}
    rows = all_rows(settings, "customerio.people", "customer_id")
    summary = load([str(export)], settings, QUIET)
    assert summary.files_loaded == 0, "what is left of them was loaded before"
    assert all_rows(settings, "customerio.people", "customer_id") == rows


def test_a_file_that_cannot_be_read_stops_it_and_it_is_taken_up(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    export = exported(tmp_path)
    load([str(export)], settings, QUIET)
    with pytest.raises(UsageError, match="There is no folder"):
        erase(settings, "a01", QUIET, exports=[tmp_path / "nowhere"])
    broken = export / "people_v5_7_1.parquet"
    whole = broken.read_bytes()
    broken.write_bytes(whole[:-9])
    with pytest.raises(CounterfoilError, match="cannot be rewritten"):
        erase(settings, "a01", QUIET, exports=[export])
    assert broken.read_bytes() == whole[:-9]
    broken.write_bytes(whole)
    (export / f"behavior.csv{rewriting.PARTIAL}").write_text("half")  # as a kill leaves it
    assert erase(settings, "C1", QUIET).proof.found == []  # knows the folder from before
    assert [row[1] for row in content(export, "people_v5_7_1.parquet")] == ["C2"]
    assert not list(export.glob(f"*{rewriting.PARTIAL}"))


def test_damage_in_a_packed_file_is_told_in_a_sentence(settings: Settings, tmp_path: Path) -> None:
    export = exported(tmp_path)
    load([str(export)], settings, QUIET)
    packed = export / "behavior_app.jsonl.gz"
    damaged = bytearray(packed.read_bytes())
    damaged[40:44] = b"\xff\xff\xff\xff"
    packed.write_bytes(damaged)
    with pytest.raises(CounterfoilError, match="cannot be rewritten"):
        erase(settings, "C1", QUIET, exports=[export])
    assert packed.read_bytes() == damaged
    assert not list(export.glob(f"*{rewriting.PARTIAL}"))


def test_without_the_request_no_export_is_touched(settings: Settings, tmp_path: Path) -> None:
    export = exported(tmp_path)
    load([str(export)], settings, QUIET)
    before = {path.name: path.read_bytes() for path in export.iterdir() if path.is_file()}
    erase(settings, "a01", QUIET)
    assert {path.name: path.read_bytes() for path in export.iterdir() if path.is_file()} == before


def test_packed_text_is_known_by_its_content_as_a_load_knows_it(
    settings: Settings, tmp_path: Path
) -> None:
    export = exported(tmp_path)
    packed, plain = export / "behavior.csv", export / "behavior_app.jsonl.gz"
    packed.write_bytes(gzip.compress(packed.read_bytes()))
    plain.write_bytes(gzip.decompress(plain.read_bytes()))
    assert load([str(export)], settings, QUIET).quarantined == []
    certificate = erase(settings, "C1", QUIET, exports=[export])
    assert certificate.files_rewritten == {"exports": 8}
    left = [name for name in certificate.proof.left if name.startswith("exports/")]
    assert left == ["exports/list.txt"]
    assert gzip.decompress(packed.read_bytes()).decode() == (
        "event_id,customer_id,email,event_name,occurred_at\n"
        "2,C2,,order,2026-01-02T00:00:00\n"
        "3,C2,unerased@example.com,order,2026-01-02T00:00:00\n"
    )
    assert plain.read_text().splitlines(keepends=True) == [
        LINE.replace("a1", "a2") % '"customer_id":"C2", "email":null',
        LINE.replace("a1", "a3") % '"customer_id":"C10","category":"C1",  "value":1.10',
    ]
    assert load([str(export)], settings, QUIET).files_loaded == 0


def test_of_a_line_of_several_objects_only_the_person_s_goes(
    settings: Settings, tmp_path: Path
) -> None:
    """And so of a file without line ends; what is nobody's object stays where it stands."""
    export = exported(tmp_path)
    ours, others, third = (
        LINE.rstrip("\n").replace("a1", event) % f'"customer_id":"{who}", "value":1.10'
        for event, who in (("b1", "C1"), ("b2", "C2"), ("b3", "C10"))
    )
    mention = LINE.rstrip("\n").replace("a1", "b4") % '"customer_id":"C2","category":"{}"'
    mentions, cleaned = (mention.replace("{}", word) for word in ("erased@example.com", "?"))
    cleaned = cleaned.replace('"?"', "null")
    text = f"""\ufeff{ours}{others}
{others}  {ours} {third}
{ours}\t{ours}
{third}
{ours}{mentions}
{others}{ours}{{"half
"""
    kept = f"""\ufeff{others}
{others}  {third}
{third}
{cleaned}
{others}{{"half
"""
    (export / "behavior_lines.jsonl").write_text(text)
    (export / "behavior_no_lines.jsonl").write_bytes(f"{ours}{others}\r{ours}{third}".encode())
    load([str(export)], settings, QUIET)
    erase(settings, "C1", QUIET, exports=[export])
    assert (export / "behavior_lines.jsonl").read_text() == kept
    assert (export / "behavior_no_lines.jsonl").read_bytes().decode() == f"{others}\r{third}"
    assert load([str(export)], settings, QUIET).files_loaded == 0
