"""Every column says what it holds of people; what is erased and swept out is derived from that."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, get_args

import duckdb
import pytest
import yaml
from publisher_home import OPEN, Home

from pipelines.erasure.columns import LISTED, Table, is_text, tables, trails
from pipelines.erasure.erase import erase
from pipelines.erasure.sweep import sweep
from pipelines.heap.ledger import Ledger
from pipelines.loading import FAMILIES, ensure_raw, tombstones
from pipelines.loading.families import Column, Family
from pipelines.loading.identifiers import OWNERS, Holds
from pipelines.loading.sources import heap_connect
from pipelines.sandbox import running_sandbox
from pipelines.settings import PROJECT_DIR, Settings

ASKED = "say what it holds: in its family, or in pipelines/erasure/columns.csv"


def says_nothing(table: Table) -> list[str]:
    return [
        f"{table.schema}.{table.name}.{name}: {ASKED}"
        for name, data_type in table.columns.items()
        if is_text(data_type) and not name.startswith("_dlt") and table.holds(name) is None
    ]


def public_relations() -> Iterator[Table]:
    """Marts and Heap models as their contracts declare them."""
    types = {"varchar": "VARCHAR", "text": "VARCHAR", "string": "VARCHAR", "varchar[]": "VARCHAR[]"}
    for path in sorted((PROJECT_DIR / "models").rglob("*.yml")):
        for model in yaml.safe_load(path.read_text(encoding="utf-8")).get("models", []):
            if model.get("config", {}).get("access", model.get("access")) == "public":
                columns = {
                    column["name"]: types.get(column["data_type"].lower(), column["data_type"])
                    for column in model["columns"]
                }
                yield Table(path.parent.name, model["name"], columns)


def test_every_column_of_raw_says_what_it_holds(settings: Settings) -> None:
    ensure_raw(settings)
    with duckdb.connect(str(settings.raw_path), read_only=True) as raw:
        found = [t for t in tables(raw) if not t.name.startswith("_dlt")]
    assert {f"{f.dataset}.{f.table}" for f in FAMILIES} <= {f"{t.schema}.{t.name}" for t in found}
    assert [told for table in found for told in says_nothing(table)] == []


def test_every_column_of_a_mart_says_what_it_holds() -> None:
    found = list(public_relations())
    assert len(found) > 40
    assert {"VARCHAR"} <= {kind for table in found for kind in table.columns.values()}
    assert [told for table in found for told in says_nothing(table)] == []


def test_the_list_speaks_of_kinds_that_there_are_and_of_no_family_s_columns() -> None:
    with LISTED.open(encoding="utf-8", newline="") as rows:
        listed = [(row["column"], row["holds"]) for row in csv.DictReader(rows)]
    kinds = {kind for part in get_args(Holds) for kind in get_args(part)} - {"other"}
    kinds |= {f"other {kind}" for kind in OWNERS}
    assert [pair for pair in listed if pair[1] not in kinds] == []
    assert listed == sorted(set(listed))
    assert len(dict(listed)) == len(listed)
    declared = {c.name for f in FAMILIES if f.dataset != heap_connect.DATASET for c in f.declared}
    assert declared & set(dict(listed)) == set()


def test_a_name_means_the_same_in_every_family_but_heap_s() -> None:
    meanings: dict[str, set[str]] = {}
    for family in FAMILIES:
        if family.dataset != heap_connect.DATASET:
            for column in family.declared:
                meanings.setdefault(column.name, set()).add(column.holds)
    assert {name: found for name, found in meanings.items() if len(found) > 1} == {}


# -- derived from it ------------------------------------------------------------------------------

THEIRS = {
    "cio_id": "a0100000001", "customer_id": "customer-10", "email": "ann@example.com",
    "heap_identity": "customer-10", "heap_user_id": "4001", "delivery_id": "dlv-1",
    "journey": "journey-1",
}  # fmt: skip
OTHERS = {
    "cio_id": "a0200000002", "customer_id": "customer-20", "email": "bob@example.com",
    "heap_identity": "customer-20", "heap_user_id": "4002", "delivery_id": "dlv-2",
    "journey": "journey-2",
}  # fmt: skip


def rows_about(family: Family, who: dict[str, str]) -> list[dict[str, object]]:
    """A row for each column and place that says whose it is, and one with all of the columns.

    A delivery, a journey or a Heap user stands beside whom it is of where their rows tell that, and
    a profile is always whole: a part of it would be somebody else's.
    """
    told = {trail.column for trail in trails() if trail.table == family.table}
    whole: dict[str, object] = {}
    rows: list[dict[str, object]] = []
    for column in family.declared:
        if column.holds in OWNERS:
            whole[column.name] = who[column.holds]
            if column.name not in told and family.table != "people":
                rows.append({column.name: who[column.holds]})
        rows += [{column.name: said} for said in _places(column, who)]
    return [*rows, *([whole] if whole else [])]


def _places(column: Column, who: dict[str, str]) -> list[str]:
    found = []
    for kind, paths in column.places.items():
        for path in paths:
            body: Any = f'"{who[kind]}"'
            for name in reversed(path.removeprefix("$.").split(".")):
                body = f'{{"{name}": {body}}}'
            found.append(str(body))
    return found


def fill(settings: Settings) -> None:
    ensure_raw(settings)
    with duckdb.connect(str(settings.raw_path)) as raw:
        for family in FAMILIES:
            for who in (THEIRS, OTHERS):
                for row in rows_about(family, who):
                    names = ", ".join(f'"{name}"' for name in row)
                    marks = ", ".join("?" * len(row))
                    raw.execute(
                        f"insert into {family.dataset}.{family.table} ({names}) values ({marks})",
                        list(row.values()),
                    )


def counts(settings: Settings) -> dict[str, int]:
    with duckdb.connect(str(settings.raw_path), read_only=True) as raw:
        return {
            family.name: raw.execute(
                f"select count(*) from {family.dataset}.{family.table}"
            ).fetchall()[0][0]
            for family in FAMILIES
        }


EXPECTED = {family.name: len(rows_about(family, OTHERS)) for family in FAMILIES}


def test_every_declared_column_and_place_is_erased_by(tmp_path: Path) -> None:
    with running_sandbox(limits=OPEN) as sandbox:
        home = Home(tmp_path / "home", sandbox.url)
        fill(home.settings)
        home.insert(
            "marts.map_identifiers",
            [
                {
                    "workspace_id": 1, "identifier_type": kind, "identifier": THEIRS[kind],
                    "person_id": "person1", "evidence": "people",
                }
                for kind in ("cio_id", "customer_id", "email", "heap_identity")
            ],
        )  # fmt: skip
        certificate = erase(home.settings, THEIRS["cio_id"], home.console, poll_seconds=0)
    assert certificate.proof.found == []
    assert counts(home.settings) == EXPECTED


def test_every_declared_column_and_place_is_swept_by(settings: Settings) -> None:
    fill(settings)
    with Ledger(settings) as ledger:
        erased = [(k, v) for k, v in THEIRS.items() if k not in ("delivery_id", "journey")]
        tombstones.add(ledger, erased, datetime(2026, 2, 1))
        tombstones.write_file(settings, ledger)
    assert sweep(settings) == sum(EXPECTED.values())
    assert counts(settings) == EXPECTED


# -- ids in texts ---------------------------------------------------------------------------------

TEXTS = [
    ("referred by customer-10, twice", "referred by (erased), twice"),
    ("https://x.example/?u=customer-10&e=ann%40example.com", None),
    ('{"by": "customer-10", "n": 1.10}', '{"by": null, "n": 1.10}'),
    ("customer-10", ""),
    ("referred by customer-100 or xcustomer-10", "="),
    ("of customer-10\N{RIGHT DOUBLE QUOTATION MARK} he said", "of (erased)\u201d he said"),
    ("he welcome-2026", "="),
    ("an order_placed today", "="),
    ("joann%40example.com", "="),
]
"""A text of somebody else's, and what is left of it; a mention may be of any length."""


def test_a_sweep_takes_ids_out_of_texts_and_leaves_words_alone(settings: Settings) -> None:
    ensure_raw(settings)
    with duckdb.connect(str(settings.raw_path)) as raw:
        for n, (text, _) in enumerate(TEXTS):
            raw.execute(
                "insert into customerio.attributes (internal_customer_id, attribute_name, "
                "attribute_value) values ('bob', ?, ?)",
                [str(n), text],
            )
        for name in ("welcome-2026", "order_placed"):
            raw.execute(
                "insert into behavior.events (customer_id, event_name) values ('bob', ?)", [name]
            )
    erased = ["customer-10", "welcome-2026", "order_placed"]  # the latter two are words as well
    with Ledger(settings) as ledger:
        told = [("email", "ann@example.com"), *(("customer_id", value) for value in erased)]
        tombstones.add(ledger, told, datetime(2026, 2, 1))
        tombstones.write_file(settings, ledger)
    sweep(settings)
    with duckdb.connect(str(settings.raw_path), read_only=True) as raw:
        found = raw.execute(
            "select coalesce(attribute_value, '') from customerio.attributes "
            "order by cast(attribute_name as int)"
        ).fetchall()
        names = raw.execute("select event_name from behavior.events order by 1").fetchall()
    assert names == [("order_placed",), ("welcome-2026",)]
    url = "https://x.example/?u=(erased)&e=(erased)"
    assert [text for (text,) in found] == [
        text if kept == "=" else url if kept is None else kept for text, kept in TEXTS
    ]


def test_whoever_goes_by_a_word_is_erased_and_the_word_stays(tmp_path: Path) -> None:
    with running_sandbox(limits=OPEN) as sandbox:
        home = Home(tmp_path / "home", sandbox.url)
    ensure_raw(home.settings)
    with duckdb.connect(str(home.settings.raw_path)) as raw:
        for customer in ("order_placed", "welcome-2026", "coffee", "101"):
            raw.execute(
                "insert into customerio.people (workspace_id, internal_customer_id, customer_id) "
                "values (1, ?, ?)",
                [f"cio-{customer}", customer],
            )
            raw.execute(
                "insert into behavior.events (customer_id, event_name, category, product_id) "
                "values ('bob', ?, ?, ?), (?, 'visited', null, null)",
                [customer, f"about {customer}", customer, customer],
            )
    for customer in ("order_placed", "welcome-2026", "coffee", "101"):
        assert erase(home.settings, customer, home.console).proof.found == []
    with duckdb.connect(str(home.settings.raw_path), read_only=True) as raw:
        assert raw.execute("select count(*) from customerio.people").fetchall() == [(0,)]
        events = raw.execute(
            "select event_name, category, product_id from behavior.events order by all"
        ).fetchall()
    assert events == [
        (customer, f"about {customer}", customer)
        for customer in ("101", "coffee", "order_placed", "welcome-2026")
    ]


# -- read once ------------------------------------------------------------------------------------


def test_a_load_reads_the_tombstones_once(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipelines.console import Console
    from pipelines.loading import load

    with Ledger(settings) as ledger:
        tombstones.add(ledger, [("customer_id", "C1")], datetime(2026, 2, 1))
        tombstones.write_file(settings, ledger)
    (tmp_path / "behavior.csv").write_text(
        "event_id,customer_id,email,event_name,occurred_at\n"
        "1,C1,,order,2026-01-02T00:00:00\n2,C2,,order,2026-01-02T00:00:00\n"
    )
    opened: list[str] = []
    read_text, connect = Path.read_text, duckdb.connect

    def seen_read(path: Path, *arguments: Any, **named: Any) -> str:
        opened.append(path.name)
        return read_text(path, *arguments, **named)

    def seen_connect(database: Any = ":memory:", *arguments: Any, **named: Any) -> Any:
        opened.append(Path(str(database)).name)
        return connect(database, *arguments, **named)

    monkeypatch.setattr(Path, "read_text", seen_read)
    monkeypatch.setattr(duckdb, "connect", seen_connect)
    load([str(tmp_path / "behavior.csv")], settings, Console(as_json=True))
    monkeypatch.undo()
    assert (opened.count("tombstones.json"), opened.count("ledger.duckdb")) == (1, 1)
    with duckdb.connect(str(settings.raw_path), read_only=True) as raw:
        assert raw.execute("select customer_id from behavior.events").fetchall() == [("C2",)]
