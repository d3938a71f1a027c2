"""Erasure: forgotten everywhere, Heap included; proved; and old exports cannot undo it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from publisher_home import FAST, OPEN, Home

from pipelines.errors import CounterfoilError, UsageError
from pipelines.heap import (
    Sandbox,
    erase,
    explain_delivery,
    explain_person,
    publish,
    running_sandbox,
)
from pipelines.heap.tombstones import is_kept_sql, write_table

VICTIM = "shopper3@shop.example"


@pytest.fixture
def heap() -> Iterator[Sandbox]:
    with running_sandbox(limits=OPEN) as sandbox:
        yield sandbox


@pytest.fixture
def home(tmp_path: Path, heap: Sandbox) -> Home:
    home = Home(tmp_path / "home", heap.url)
    home.sent(70)
    home.users(7)
    home.insert(
        "marts.dim_persons",
        [
            {
                "person_id": f"person{i}",
                "workspace_id": 1,
                "customer_id": f"{i}",
                "email": f"shopper{i}@shop.example",
                "heap_identity": f"shopper{i}@shop.example",
                "match_status": "unverified",
                "is_publishable": True,
            }
            for i in range(7)
        ],
    )
    for i in range(7):
        links = [
            ("cio_id", f"cio{i}abc"),
            ("customer_id", f"{i}"),
            ("email", f"shopper{i}@shop.example"),
        ]
        if i in (2, 3):
            links.append(("email", "family@shop.example"))  # a mailbox two people share
        home.insert(
            "marts.map_identifiers",
            [
                {
                    "workspace_id": 1,
                    "identifier_type": kind,
                    "identifier": value,
                    "person_id": f"person{i}",
                    "evidence": "people",
                }
                for kind, value in links
            ],
        )
    home.sql("create view marts.everybody as select * from marts.dim_persons")
    with duckdb.connect(str(home.settings.raw_path)) as raw:
        raw.execute(
            """
            create schema customerio;
            create table customerio.people as
            select 1 as workspace_id, cast(i as varchar) as customer_id,
                'cio' || i || 'abc' as internal_customer_id,
                ' Shopper' || i || '@Shop.example ' as email_addr
            from range(7) as rows(i);
            create table customerio.deliveries as
            select 'dlv' || i as delivery_id, 'cio' || i % 7 || 'abc' as internal_customer_id,
                'journey' || i as subject_id from range(70) as rows(i);
            create table customerio.metrics as
            select 'm' || i as event_id, 'dlv' || i as delivery_id from range(70) as rows(i);
            create table customerio.attributes as
            select 'cio0abc' as internal_customer_id, 'note' as attribute_name,
                'referred by SHOPPER3@shop.example' as attribute_value;
            create table customerio.webhooks as
            select 'w' || i as event_id, '{"campaign_id": "3", "identifiers": {"id": "' || i ||
            '"}}' as data from range(7) as rows(i);
            """
        )
    (home.path / "reviews").mkdir()
    (home.path / "reviews" / "2026-w09.html").write_text(f"<p>{VICTIM}</p>")
    (home.path / "reviews" / "2026-w10.html").write_text("<p>nobody</p>")
    (home.path / "logs").mkdir()
    (home.path / "logs" / "dbt.log").write_text(f"row of {VICTIM.upper()}")
    publish(home.settings, home.console, limits=FAST)
    return home


@pytest.mark.parametrize("by", [VICTIM, "Shopper3@Shop.Example", "person3", "cio3abc"])
def test_a_person_is_forgotten_everywhere_and_nobody_else_is(
    home: Home, heap: Sandbox, by: str
) -> None:
    certificate = erase(home.settings, by, home.console, poll_seconds=0)
    assert certificate.heap.status == "complete"
    assert VICTIM not in heap.store().by_identity
    assert len(heap.store().events) == 60
    assert certificate.proof.found == []
    assert certificate.proof.count_text_columns > 40
    assert certificate.files_removed == {"plans": 1, "reviews": 1, "logs": 1}
    for path in home.path.rglob("*"):
        if path.is_file():
            assert b"shopper3@shop" not in path.read_bytes().lower(), path.name
    with duckdb.connect(str(home.settings.raw_path), read_only=True) as raw:
        counts = {
            table: raw.execute(f"select count(*) from customerio.{table}").fetchall()[0][0]
            for table in ("people", "deliveries", "metrics", "attributes", "webhooks")
        }
    # the attribute that names them goes; webhooks that only share the number 3 stay
    assert counts == {"people": 6, "deliveries": 60, "metrics": 60, "attributes": 0, "webhooks": 6}
    with duckdb.connect(str(home.settings.warehouse_path), read_only=True) as warehouse:
        assert warehouse.execute("select count(*) from marts.everybody").fetchall() == [(6,)]
        assert warehouse.execute(
            "select count(*) from marts.map_identifiers where person_id = 'person2'"
        ).fetchall() == [(4,)]
    assert home.ledger("select count(*) from receipts") == [(60,)]
    assert certificate.count_shared_identifiers_kept == 1


def test_the_certificate_holds_no_personal_data(home: Home) -> None:
    certificate = erase(home.settings, VICTIM, home.console, poll_seconds=0)
    assert certificate.path is not None
    text = certificate.path.read_text()
    assert json.loads(text)["heap"]["request_ids"] == ["1"]
    for trace in ("shopper3", "person3", "cio3abc"):
        assert trace not in text


def test_the_erased_never_come_back(home: Home, heap: Sandbox) -> None:
    erase(home.settings, VICTIM, home.console, poll_seconds=0)
    # an old export is loaded and built again
    home.sql("delete from heap.heap_cio_message_sent")
    home.sent(140)
    home.users(7)
    summary = publish(home.settings, home.console, limits=FAST)
    assert (summary.count_events, summary.count_refused) == (60, 21)
    assert VICTIM not in heap.store().by_identity
    with duckdb.connect() as db:
        write_table(home.settings, db)
        kept = is_kept_sql(home.settings, {"cio": "cio_id", "mail": "email"})
        found = db.execute(
            f"""
            select cio from (values ('cio3abc', null), ('cio4abc', ' SHOPPER3@shop.example'),
                ('cio5abc', 'shopper5@shop.example'), (null, null)) as people(cio, mail)
            where {kept} order by cio
            """
        ).fetchall()
    assert found == [("cio5abc",), (None,)]


def test_a_second_erasure_says_that_it_was_done(home: Home) -> None:
    erase(home.settings, VICTIM, home.console, poll_seconds=0)
    with pytest.raises(CounterfoilError, match="erased before"):
        erase(home.settings, VICTIM, home.console, poll_seconds=0)
    with pytest.raises(CounterfoilError, match="Nobody is known"):
        erase(home.settings, "stranger@shop.example", home.console, poll_seconds=0)


def test_without_a_key_nothing_is_erased(home: Home, heap: Sandbox) -> None:
    home.settings.__dict__["heap_api_key"] = None
    with pytest.raises(UsageError, match="HEAP_API_KEY is not set"):
        erase(home.settings, VICTIM, home.console, poll_seconds=0)
    assert home.ledger("select count(*) from receipts") == [(70,)]
    assert len(heap.store().events) == 70


def test_a_plan_made_before_an_erasure_is_refused(home: Home) -> None:
    from pipelines.heap import make_plan

    home.sent(1, start=70)
    plan = make_plan(home.settings, home.console, out=home.path.parent / "plan.jsonl", limits=FAST)
    erase(home.settings, VICTIM, home.console, poll_seconds=0)
    with pytest.raises(CounterfoilError, match="moved on"):
        publish(home.settings, home.console, plan.path, limits=FAST)


def test_explain_person_says_what_heap_was_told_when_and_by_which_plan(home: Home) -> None:
    told = explain_person(home.settings, "SHOPPER3@shop.example", home.console)
    (plan_id,) = home.ledger("select plan_id from plans")[0]
    assert len(told.facts["receipts"]) == 10
    assert {row["plan_id"] for row in told.facts["property_state"]} == {plan_id}
    assert any("may be published" in line for line in told.lines)
    assert any(f"by {plan_id}" in line for line in told.lines)
    with pytest.raises(CounterfoilError, match="Nobody is known"):
        explain_person(home.settings, "stranger", home.console)


def test_explain_delivery_finds_its_events_and_receipts(home: Home) -> None:
    told = explain_delivery(home.settings, "delivery5", home.console)
    assert [row["publish_key"] for row in told.facts["receipts"]] == ["sent-000000005"]
    with pytest.raises(CounterfoilError, match="No delivery is known"):
        explain_delivery(home.settings, "nothing", home.console)


def test_an_erasure_that_stopped_is_taken_up_again(home: Home, heap: Sandbox) -> None:
    # somebody else has raw.duckdb open, with other settings
    busy = duckdb.connect(str(home.settings.raw_path), config={"threads": 1})
    with pytest.raises((CounterfoilError, duckdb.Error)):
        erase(home.settings, VICTIM, home.console, poll_seconds=0)
    busy.close()
    assert home.ledger("select count(*) from receipts") == [(70,)]
    assert erase(home.settings, VICTIM, home.console, poll_seconds=0).heap.status == "complete"
    assert home.ledger("select count(*) from receipts") == [(60,)]
