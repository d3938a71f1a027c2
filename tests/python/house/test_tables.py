"""The one way to read what was built: by name, whole, read-only, in UTC."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import duckdb
import pytest

from pipelines.built.manifest import require_manifest
from pipelines.built.quoting import literal, quoted
from pipelines.built.tables import Tables, attach_ledger, open_warehouse, read_as_of
from pipelines.errors import CounterfoilError
from pipelines.heap.ledger import Ledger
from pipelines.heap.warehouse import Warehouse
from pipelines.settings import Settings

AS_OF = datetime(2026, 6, 1)
BUILT = """
    create schema marts; create schema staging; create schema heap;
    create table marts.persons as select 1 as person_id, 'ann' as name;
    create table staging.persons as select 2 as person_id;
    create table staging."odd ""name" as select 3 as one;
    create table heap.events as select 4 as event_id;
    create table whole_build as
    select timestamp '2026-06-01' as as_of, 'b1' as build_id, 'c1' as code, 'i1' as inputs;
"""


@pytest.fixture
def home(settings: Settings) -> Settings:
    settings.home.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(str(settings.warehouse_path)) as db:
        db.execute(BUILT)
    return settings


def test_relations_are_found_by_name_and_what_is_published_wins(home: Settings) -> None:
    with open_warehouse(home) as tables:
        assert tables.rows("from {persons}", reads=["persons"]) == [{"person_id": 1, "name": "ann"}]
        assert tables.value("select one from " + tables.places['odd "name'], reads=()) == 3
        assert tables.find("persons", "staging") == '"warehouse"."staging"."persons"'
        assert tables.find("persons", "nowhere") == tables.places["persons"]
        assert tables.columns["persons"] == ("person_id", "name")
        assert read_as_of(tables) == tables.as_of == AS_OF
        with pytest.raises(duckdb.InvalidInputException, match="read-only"):
            tables.db.execute("create table one as select 1")
        assert tables.value("select current_setting('TimeZone')", reads=()) == "UTC"


def test_what_is_not_there_is_remembered_or_refused(home: Settings, tmp_path: Path) -> None:
    statement = tmp_path / "one.sql"
    statement.write_text("select * from {events} where event_id = $one and '{7}' <> ''")
    with open_warehouse(home) as tables:
        assert tables.rows("from {gone}", reads=["gone"]) == []
        assert (tables.used, tables.missing) == (set(), {"gone"})
        with pytest.raises(CounterfoilError, match="it has no gone"):
            tables.require("gone")
        with pytest.raises(CounterfoilError, match="its events lacks kind, size"):
            tables.require("events", "event_id", "kind", "size")
        with pytest.raises(CounterfoilError, match="persons stands in 2 schemas"):
            tables.require("persons")
        with pytest.raises(CounterfoilError, match="it has no 7"):
            tables.ask(statement, {"one": 4})
        statement.write_text("select * from {events} where event_id = $one")
        assert tables.ask(statement, {"one": 4, "once": 5}) == [{"event_id": 4}]


def test_only_a_whole_build_of_one_manifest_is_read(home: Settings) -> None:
    with open_warehouse(home) as tables:
        assert tables.manifest == {}
        with pytest.raises(CounterfoilError, match=r"manifest\.json is missing"):
            require_manifest(home, tables.whole)
    (home.home / "manifest.json").write_text('{"metadata": {"invocation_id": "b1"}}')
    with open_warehouse(home) as tables:
        assert tables.manifest == {"metadata": {"invocation_id": "b1"}}
        assert require_manifest(home, tables.whole) == tables.manifest
    (home.home / "manifest.json").write_text('{"metadata": {"invocation_id": "b2"}}')
    with pytest.raises(CounterfoilError, match="not of the same build"), open_warehouse(home):
        pass
    with duckdb.connect(str(home.warehouse_path)) as db:
        db.execute("drop table whole_build")
    with pytest.raises(CounterfoilError, match="only a whole build"), open_warehouse(home):
        pass
    with Tables.opened_in_part(home) as tables:
        assert tables.mark is None
        assert tables.has("persons")
    home.warehouse_path.write_text("no database")
    with pytest.raises(CounterfoilError, match="is not a DuckDB database"), open_warehouse(home):
        pass
    home.warehouse_path.unlink()
    with pytest.raises(CounterfoilError, match="Nothing was built yet"), open_warehouse(home):
        pass


def test_the_publisher_reads_the_same_beside_its_ledger(home: Settings) -> None:
    with Ledger(home) as ledger:
        with Warehouse.attached(ledger.db, home) as warehouse:
            assert warehouse.places["events"] == '"warehouse"."heap"."events"'
            assert "receipts" not in warehouse.places
            assert warehouse.types(warehouse.require("events")) == {"event_id": "INTEGER"}
            with pytest.raises(CounterfoilError, match="so nothing is told"):
                warehouse.require("gone")
        assert (
            ledger.rows("select 1 from duckdb_databases() where database_name = 'warehouse'") == []
        )
    with open_warehouse(home) as tables:
        beside = attach_ledger(tables, home)
        assert isinstance(beside, Tables)
        assert beside.value("select count(*) from {receipts}", reads=["receipts"]) == 0
        assert "persons" not in beside.places


def test_names_and_texts_are_quoted() -> None:
    assert quoted('a"b') == '"a""b"'
    assert literal("it's") == "'it''s'"
