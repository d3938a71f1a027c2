"""Heap's segment webhooks as a load reads them: a page a line, or a line that is set aside."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import duckdb
import pytest
from webhook_calls import segment_page

from pipelines.console import Console
from pipelines.errors import CounterfoilError
from pipelines.loading import load
from pipelines.settings import Settings

AT = {"received_at": "2026-03-01T04:00:00.5Z"}


def changed(page: dict[str, Any], **data: object) -> dict[str, Any]:
    return {**page, "data": {**page["data"], **data}}


GOOD: dict[str, Any] = {**segment_page(add=["c1", 8001], remove=[]), **AT}
SYNC_TASK = "data.sync_info.sync_task_id"
BAD = {
    "no list": (changed(GOOD, add={"id": "c1"}), "data.add[].id", "it is no list"),
    "no object": (changed(GOOD, add=["c1"]), "data.add[].id", "no object that has one"),
    "no id": (changed(GOOD, remove=[{"uid": "c1"}]), "data.remove[].id", "no object that has one"),
    "a list": (changed(GOOD, add=[{"id": ["c1"]}]), "data.add[].id", "it is no text"),
    "a fraction": (changed(GOOD, add=[{"id": 7.5}]), "data.add[].id", "it has a fraction"),
    "null": (changed(GOOD, add=[{"id": None}]), "data.add[].id", "no object that has one"),
    "no page": (
        changed(GOOD, sync_info={**GOOD["data"]["sync_info"], "page_number": "one"}),
        "data.sync_info.page_number",
        "like aaa",
    ),
    "no time": ({key: GOOD[key] for key in GOOD if key != "received_at"}, "received_at", ""),
    "bad time": ({**GOOD, "received_at": "yesterday"}, "received_at", ""),
    "no data": ({**GOOD, "data": None}, "data.segment.id", "it is missing"),
    "no task": (changed(GOOD, sync_info={"page_number": 1}), SYNC_TASK, "it is missing"),
}


def rows(settings: Settings, sql: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(settings.raw_path), read_only=True) as raw:
        found: list[tuple[Any, ...]] = raw.execute(sql).fetchall()
    return found


def test_pages_are_loaded_packed_or_not(settings: Settings, tmp_path: Path) -> None:
    export = tmp_path / "export"
    export.mkdir()
    more = {**segment_page(remove=["c2"]), **AT, "unknown": 1}
    (export / "heap_segments-1.jsonl").write_text(json.dumps(GOOD) + "\n")
    with gzip.open(export / "heap_segments.2.jsonl.gz", "wt") as out:
        out.write(json.dumps(more) + "\n")
    summary = load([str(export)], settings, Console(as_json=True))
    assert summary.failure is None
    found = rows(
        settings,
        "select action_type, data ->> '$.add[*].id', received_at::varchar"
        " from heap_connect.segment_pages order by len(data -> '$.add') desc nulls last",
    )
    at = "2026-03-01 04:00:00.5"
    assert found == [("segment.users.sync", ["c1", "8001"], at), ("segment.users.sync", [], at)]


@pytest.mark.parametrize("name", BAD)
def test_a_bad_line_is_set_aside_and_the_rest_is_loaded(
    settings: Settings, tmp_path: Path, name: str
) -> None:
    bad, column, reason = BAD[name]
    export = tmp_path / "export"
    export.mkdir()
    lines = [GOOD] * 10 + [bad] + [GOOD] * 10
    (export / "heap_segments.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    summary = load([str(export)], settings, Console(as_json=True))
    assert isinstance(summary.failure, CounterfoilError)
    assert rows(settings, "select count(*) from heap_connect.segment_pages") == [(20,)]
    [(line, said, why)] = rows(
        settings, "select line_number, column_name, reason from loads.rejected_rows"
    )
    assert (line, said) == (11, column)
    assert reason in why
    assert "c1" not in why
