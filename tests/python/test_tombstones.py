"""Erased people stay erased: an old export that still holds them cannot bring them back."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import duckdb
import pytest

from pipelines.console import Console
from pipelines.customerio import load
from pipelines.heap import tombstones
from pipelines.heap.ledger import Ledger
from pipelines.settings import Settings

PEOPLE = """
    select 7::bigint as workspace_id, customer_id, cio_id as internal_customer_id,
        email as email_addr, false as deleted, false as suppressed,
        timestamp '2026-01-01' as created_at, timestamp '2026-01-01' as updated_at
    from (values ('C1', 'a01', 'Erased@Example.com'), ('C2', 'a02', 'kept@example.com'))
        as people (customer_id, cio_id, email)
"""


MERGED = {
    "id": "m1",
    "type": "profile_merge",
    "timestamp": 1_767_225_600,
    "customer_identifiers": {"cio_id": "a02"},
    "data": {
        "primary": {"cio_id": "a02", "email": "kept@example.com"},
        "secondary": {"cio_id": "a01", "id": "C1", "email": "Erased@Example.com"},
    },
}


def people_in(settings: Settings) -> list[str]:
    with duckdb.connect(str(settings.raw_path), read_only=True) as raw:
        found = raw.execute("select customer_id from customerio.people order by all").fetchall()
    return [customer_id for (customer_id,) in found]


@pytest.mark.parametrize(
    ("kind", "identifier"),
    [("cio_id", "a01"), ("customer_id", "C1"), ("email", "erased@example.com")],
)
def test_an_old_export_brings_nobody_back(
    settings: Settings, tmp_path: Path, kind: str, identifier: str
) -> None:
    export = tmp_path / "export"
    export.mkdir()
    for sequence in (1, 2):
        path = export / f"people_v5_7_{sequence}.parquet"
        duckdb.connect().execute(
            f"copy ({PEOPLE}) to '{path}' (format parquet, kv_metadata {{n: '{sequence}'}})"
        )
    (export / "people_v5_7_2.parquet").rename(tmp_path / "later.parquet")
    load([str(export)], settings, Console(as_json=True))
    assert people_in(settings) == ["C1", "C2"]

    with Ledger(settings) as ledger:
        tombstones.add(ledger, [(kind, identifier)], datetime(2026, 2, 1))
        tombstones.write_file(settings, ledger)
    (tmp_path / "later.parquet").rename(export / "people_v5_7_2.parquet")
    kept = {"id": "m2", "type": "profile_merge", "timestamp": 1_767_225_600}
    (export / "activities_7.jsonl").write_text(f"{json.dumps(MERGED)}\n{json.dumps(kept)}\n")
    load([str(export)], settings, Console(as_json=True))
    assert people_in(settings) == ["C2", "C2"]
    with duckdb.connect(str(settings.raw_path), read_only=True) as raw:
        told = raw.execute("select activity_id, workspace_id from customerio.activities").fetchall()
    assert told == [("m2", 7)]
