"""Erased people stay erased: an old export that still holds them cannot bring them back."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import duckdb
import pytest

from pipelines.console import Console
from pipelines.erasure.erase import erase
from pipelines.errors import CounterfoilError
from pipelines.heap.ledger import Ledger
from pipelines.loading import ensure_raw, load, tombstones
from pipelines.settings import PROJECT_DIR, Settings
from pipelines.warehouse import build

QUIET = Console(as_json=True)

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


# -- they only grow -------------------------------------------------------------------------------


def remember(settings: Settings, *addresses: str) -> None:
    with Ledger(settings) as ledger:
        tombstones.add(ledger, [("email", a) for a in addresses], datetime(2026, 2, 1))
        tombstones.write_file(settings, ledger)


def erased_among(settings: Settings, *addresses: str) -> list[str]:
    """Who of them a load keeps out."""
    with duckdb.connect() as db:
        told = tombstones.read_file(settings)
        tombstones.write_table(db, told)
        erased = tombstones.erased_sql({t.salt for t in told}, "email", "mail", "loads.tombstones")
        found = db.execute(
            f"select mail from (select unnest(?) as mail) where {erased} order by mail",
            [list(addresses)],
        ).fetchall()
    return [mail for (mail,) in found]


def erased_in_ledger(settings: Settings, *addresses: str) -> list[str]:
    with Ledger(settings) as ledger:
        return [a for a in addresses if tombstones.is_erased(ledger, "email", a)]


EVERYBODY = ("a@example.com", "b@example.com", "c@example.com")


def test_a_restored_ledger_forgets_nobody(settings: Settings, tmp_path: Path) -> None:
    with Ledger(settings):
        pass
    shutil.copy(settings.ledger_path, tmp_path / "backup.duckdb")
    remember(settings, "a@example.com")
    with duckdb.connect(str(tmp_path / "backup.duckdb")) as backup:
        for identity in EVERYBODY:
            backup.execute(f"insert into receipts (heap_identity) values ('{identity}')")
    shutil.copy(tmp_path / "backup.duckdb", settings.ledger_path)
    remember(settings, "b@example.com")
    assert erased_among(settings, *EVERYBODY) == ["a@example.com", "b@example.com"]
    assert erased_in_ledger(settings, *EVERYBODY) == ["a@example.com", "b@example.com"]
    # whom the back-up still knew is gone from it, and from its free blocks
    with Ledger(settings) as ledger:
        told = ledger.rows("select heap_identity from receipts order by all")
    assert ("a@example.com",) not in told
    assert b"a@example.com" not in settings.ledger_path.read_bytes()


def test_a_new_ledger_forgets_nobody_under_another_salt(settings: Settings) -> None:
    remember(settings, "a@example.com")
    settings.ledger_path.unlink()
    remember(settings, "b@example.com")
    assert erased_among(settings, *EVERYBODY) == ["a@example.com", "b@example.com"]
    assert erased_in_ledger(settings, *EVERYBODY) == ["a@example.com", "b@example.com"]
    from pipelines.heap.verdicts import forbidden_sql

    with Ledger(settings) as ledger:
        for table in ("forbidden_identities", "held_newcomers"):
            ledger.db.execute(f"create temp table {table} (heap_identity varchar)")
        found = ledger.rows(
            f"select {forbidden_sql(ledger, 'mail')} from (select unnest(?) as mail)",
            [list(EVERYBODY)],
        )
    assert found == [("erased",), ("erased",), (None,)]


def without(settings: Settings) -> None:
    (settings.home / "tombstones.json").unlink()


def damaged(settings: Settings) -> None:
    (settings.home / "tombstones.json").write_text('{"salt": "x", "tombsto')


def shrunk(settings: Settings) -> None:
    path = settings.home / "tombstones.json"
    content = json.loads(path.read_text())
    path.write_text(json.dumps({**content, "tombstones": []}))


@pytest.mark.parametrize("harm", [without, damaged, shrunk])
@pytest.mark.parametrize("lost", ["nothing", "ledger", "raw"])
def test_a_lost_file_is_made_anew_from_what_is_left(
    settings: Settings, harm: Callable[[Settings], None], lost: str
) -> None:
    remember(settings, "a@example.com")
    ensure_raw(settings)
    harm(settings)
    if lost == "ledger" and harm is not damaged:
        settings.ledger_path.unlink()
    if lost == "raw":
        settings.raw_path.unlink()
    ensure_raw(settings)
    assert erased_among(settings, *EVERYBODY) == ["a@example.com"]
    assert (settings.home / "tombstones.json").stat().st_mode & 0o077 == 0


def test_nothing_is_loaded_when_nobody_can_tell_who_was_erased(
    settings: Settings, tmp_path: Path
) -> None:
    remember(settings, "erased@example.com")
    settings.ledger_path.unlink()
    damaged(settings)
    with pytest.raises(CounterfoilError, match="damaged"):
        load([str(people_export(tmp_path))], settings, QUIET)
    assert not settings.raw_path.exists()


# -- no load brings them back ---------------------------------------------------------------------


def people_export(folder: Path) -> Path:
    """Two people with what they did; the second one mentions the first."""
    export = folder / "export"
    export.mkdir(exist_ok=True)
    deliveries = """
        select 7::bigint as workspace_id, 'dlv-' || cio as delivery_id,
            cio as internal_customer_id, 'journey-' || cio as subject_id,
            timestamp '2026-01-02' as created_at
        from (values ('a01'), ('a02')) as t (cio)
    """
    metrics = """
        select 7::bigint as workspace_id, 'm' || d as event_id, d as delivery_id,
            'sent' as metric, timestamp '2026-01-02' as created_at
        from (values ('dlv-a01'), ('dlv-a02')) as t (d)
    """
    attributes = """
        select 7::bigint as workspace_id, 'a02' as internal_customer_id, n as attribute_name,
            v as attribute_value, timestamp '2026-01-02' as timestamp
        from (values ('referred_by', 'Erased@example.com'), ('note', 'of erased@example.com.'),
            ('mail', 'unerased@example.com')) as t (n, v)
    """
    for name, query in (
        ("people", PEOPLE), ("deliveries", deliveries), ("metrics", metrics),
        ("attributes", attributes),
    ):  # fmt: skip
        duckdb.connect().execute(
            f"copy ({query}) to '{export / f'{name}_v5_7_1.parquet'}' (format parquet)"
        )
    body = {
        "event_id": "w1", "object_type": "email", "metric": "sent", "timestamp": 1_767_225_600,
        "data": {"identifiers": {"id": "C2"}, "cc": ["erased@example.com", "x@example.com"]},
    }  # fmt: skip
    (export / "webhooks.jsonl").write_text(json.dumps(body) + "\n")
    (export / "behavior.csv").write_text(
        "event_id,customer_id,email,event_name,occurred_at\n"
        "1,,erased@example.com,order,2026-01-02T00:00:00\n"
        "2,C2,Erased@example.com,order,2026-01-02T00:00:00\n"
        "3,C2,unerased@example.com,order,2026-01-02T00:00:00\n"
    )
    return export


def all_rows(settings: Settings, table: str, columns: str) -> list[tuple[object, ...]]:
    with duckdb.connect(str(settings.raw_path), read_only=True) as raw:
        found: list[tuple[object, ...]] = raw.execute(
            f"select {columns} from {table} order by all"
        ).fetchall()
    return found


def assert_without_the_erased(settings: Settings) -> None:
    assert people_in(settings) == ["C2"]
    for table in ("deliveries", "metrics"):
        assert all_rows(settings, f"customerio.{table}", "delivery_id") == [("dlv-a02",)]
    assert all_rows(settings, "customerio.attributes", "attribute_value") == [
        ("of (erased).",), ("unerased@example.com",), (None,)
    ]  # fmt: skip
    assert all_rows(settings, "behavior.events", "event_id, email") == [
        ("2", None), ("3", "unerased@example.com")
    ]  # fmt: skip
    for path in settings.home.rglob("*"):
        if path.is_file() and path.suffix in (".duckdb", ".wal", ".partial"):
            content = path.read_bytes().lower().replace(b"unerased@example.com", b"")
            for trace in (b"erased@example.com", b"dlv-a01", b"journey-a01"):
                assert trace not in content, (path.name, trace)


def load_again(settings: Settings, export: Path) -> None:
    """The same files once more, to a raw.duckdb that has never seen them."""
    with duckdb.connect(str(settings.raw_path)) as raw:
        for schema in ("customerio", "behavior"):
            raw.execute(f"delete from {schema}.loaded_files")
        raw.execute("delete from loads.sightings")
        for table in ("people", "deliveries", "metrics", "attributes", "webhooks"):
            raw.execute(f"delete from customerio.{table}")
        raw.execute("delete from behavior.events")
    load([str(export)], settings, QUIET)


@pytest.fixture
def erased(settings: Settings, tmp_path: Path) -> Path:
    """A home in which somebody was erased after a load; returns the export."""
    export = people_export(tmp_path)
    load([str(export)], settings, QUIET)
    erase(settings, "erased@example.com", QUIET)
    assert_without_the_erased(settings)
    return export


def test_loaded_again_not_even_the_free_blocks_hold_them(settings: Settings, erased: Path) -> None:
    load_again(settings, erased)
    assert_without_the_erased(settings)
    assert len(all_rows(settings, "loads.files", "file_name")) == 6
    before = settings.raw_path.stat().st_ino
    load([str(erased)], settings, QUIET)
    assert settings.raw_path.stat().st_ino == before  # nothing was removed: nothing is rewritten


KILLED = """
import os, sys
from pathlib import Path
from pipelines.console import Console
from pipelines.loading import load
from pipelines.erasure import rewriting, sweep
from pipelines.settings import Settings
where = {"sweep": sweep, "rewrite": rewriting}[sys.argv[3]]
setattr(where, sys.argv[3], lambda *_, **__: os._exit(9))
settings = Settings(_env_file=None).model_copy(update={"home": Path(sys.argv[1])})
load([sys.argv[2]], settings, Console(as_json=True))
"""


@pytest.mark.parametrize("place", ["sweep", "rewrite"])
@pytest.mark.parametrize("by", ["load", "build"])
def test_what_a_killed_load_left_the_next_load_or_build_mends(
    settings: Settings, erased: Path, place: str, by: str
) -> None:
    with duckdb.connect(str(settings.raw_path)) as raw:
        for schema in ("customerio", "behavior"):
            raw.execute(f"delete from {schema}.loaded_files")
            raw.execute("delete from loads.sightings")
        for table in ("people", "deliveries", "metrics", "attributes", "webhooks"):
            raw.execute(f"delete from customerio.{table}")
        raw.execute("delete from behavior.events")
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, str(settings.home), str(erased), place],
        cwd=PROJECT_DIR,
        capture_output=True,
        check=False,
    )
    assert killed.returncode == 9, killed.stderr
    if place == "sweep":
        assert "C1" in people_in(settings)
    if by == "load":
        load([str(erased)], settings, QUIET)  # knows every file
    else:
        build(settings, QUIET, as_of=datetime(2026, 6, 1), select="+stg_behavior__events")
        with duckdb.connect(str(settings.warehouse_path), read_only=True) as warehouse:
            shown = warehouse.execute("select event_id from staging.stg_behavior__events")
            assert sorted(shown.fetchall()) == [("2",), ("3",)]
    assert_without_the_erased(settings)


def test_a_reader_who_left_does_not_stop_a_load(settings: Settings, erased: Path) -> None:
    settings.raw_path.unlink()
    environment = {"COUNTERFOIL_HOME": str(settings.home), "PATH": "/usr/bin:/bin"}
    process = subprocess.Popen(
        [sys.executable, "cli.py", "load", str(erased)],
        cwd=PROJECT_DIR,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    said = process.stderr.read()
    assert process.wait(120) == 0, said
    assert said == b""
    assert_without_the_erased(settings)
