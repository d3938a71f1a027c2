"""Erasure: forgotten everywhere, Heap included; proved; and old exports cannot undo it."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import random
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import AsyncIterator, Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.process import BaseProcess
from pathlib import Path
from threading import Thread

import duckdb
import fastavro
import pytest
from adversary import adversary, drip, once
from conftest import KILLS, PROVE
from killing import erasing, is_killed, seconds_of, started
from publisher_home import FAST, OPEN, Home
from publisher_home import settings as publisher_settings
from pydantic import SecretStr
from raw_in_files import counted, moved_into_files, there, values

from pipelines.console import Console
from pipelines.erasure.certificate import certificate_lines
from pipelines.erasure.erase import STEPS, erase
from pipelines.errors import CounterfoilError, UsageError
from pipelines.explain.explanation import explain_delivery, explain_person
from pipelines.heap.ledger import Ledger
from pipelines.heap.publish import publish
from pipelines.heap.target import require_target
from pipelines.loading import tombstones
from pipelines.loading.tombstones import erased_sql, read_file, salted_hash, write_table
from pipelines.sandbox import Sandbox, running_sandbox
from pipelines.settings import PROJECT_DIR, Settings

VICTIM = "shopper3@shop.example"


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
    (home.path / "building").mkdir()  # what a build that failed had made
    shutil.copy(home.settings.warehouse_path, home.path / "building")
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
    assert certificate.files_removed == {}
    assert certificate.files_rewritten == {"plans": 1, "reviews": 1, "logs": 1}
    assert not (home.path / "building").exists()
    for path in home.path.rglob("*"):
        if path.is_file():
            assert b"shopper3@shop" not in path.read_bytes().lower(), path.name
    with duckdb.connect(str(home.settings.raw_path), read_only=True) as raw:
        counts = {
            table: raw.execute(f"select count(*) from customerio.{table}").fetchall()[0][0]
            for table in ("people", "deliveries", "metrics", "attributes", "webhooks")
        }
    # somebody else's attribute loses the name and stays; webhooks that share the number 3 stay
    assert counts == {"people": 6, "deliveries": 60, "metrics": 60, "attributes": 1, "webhooks": 6}
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
        write_table(db, read_file(home.settings))
        salts = {tombstone.salt for tombstone in read_file(home.settings)}
        erased = " or ".join(
            erased_sql(salts, kind, column, "loads.tombstones")
            for column, kind in (("cio", "cio_id"), ("mail", "email"))
        )
        found = db.execute(
            f"""
            select cio from (values ('cio3abc', null), ('cio4abc', ' SHOPPER3@shop.example'),
                ('cio5abc', 'shopper5@shop.example'), (null, null)) as people(cio, mail)
            where not ({erased}) order by cio
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
    from pipelines.heap.planning import make_plan

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


# -- nobody else ----------------------------------------------------------------------------------

CROWD = [
    # customer id, cio id, e-mail address: prefixes of one another, and of many lengths
    ("customer-10", "c10", "ann@example.com"),
    ("customer-1", "c1", "joann@example.com"),
    ("customer-100", "c100", "ann@example.com.au"),
    ("customer-1001", "c1001", "o'ann@example.com"),
    ("10", "c1000000000", "ann+news@example.com"),
    ("customer-10x", "xc10", "ann@example.community"),
    ("CUSTOMER-10", "C10", "ann_@example.com"),
]
SHARED = "desk@example.com"


def crowd_home(folder: Path, url: str) -> Home:
    """The crowd above in raw, warehouse, ledger, plans and files; `n` says whose a row is."""
    home = Home(folder, url)
    person = [f"person{n}" for n in range(len(CROWD))]
    for n, (customer, cio_id, email) in enumerate(CROWD):
        home.insert(
            "marts.dim_persons",
            [
                {
                    "person_id": person[n], "workspace_id": 1, "customer_id": customer,
                    "email": email, "heap_identity": customer, "match_status": "unverified",
                    "is_publishable": True,
                }
            ],
        )  # fmt: skip
        home.insert(
            "marts.map_identifiers",
            [
                {
                    "workspace_id": 1, "identifier_type": kind, "identifier": value,
                    "person_id": person[n], "evidence": "people",
                }
                for kind, value in (
                    ("cio_id", cio_id), ("customer_id", customer), ("email", email),
                    ("heap_identity", customer),
                )
            ],
        )  # fmt: skip
        home.insert(
            "heap.heap_cio_message_sent",
            [
                {
                    "publish_key": f"sent-{n:09d}-{i}", "heap_identity": customer,
                    "person_id": person[n], "occurred_at": "2026-01-01", "workspace_id": 1,
                    "journey_id": "7", "delivery_id": f"d{n}",
                }
                for i in range(3)
            ],
        )  # fmt: skip
    rows = ", ".join(
        f"({n}, '{c}', '{i}', '{e.replace(chr(39), chr(39) * 2)}')"
        for n, (c, i, e) in enumerate(CROWD)
    )
    with duckdb.connect(str(home.settings.raw_path)) as raw:
        raw.execute(
            f"""
            create schema customerio; create schema behavior; create schema heap_connect;
            create table crowd as select * from (values {rows}) as t (n, customer, cio, email);
            create table customerio.people as
            select n, 1 as workspace_id, customer as customer_id, cio as internal_customer_id,
                email as email_addr, false as deleted from crowd
            union all -- a hub: nobody's mailbox, in everybody's older version
            select n, 1, customer, cio, '{SHARED}', false from crowd;
            create table customerio.attributes as
            select n, cio as internal_customer_id, 'mail' as attribute_name,
                email as attribute_value from crowd
            union all select 1, 'c1', 'referred_by', 'Ann@example.com '
            union all select 2, 'c100', 'referred_by', 'customer-10'
            union all select 3, 'c1001', 'referred_by', 'customer-100'
            union all select 3, 'c1001', 'note', 'friend of ann@example.com, not joann@example.com'
            union all select 5, 'xc10', 'lucky_number', '10';
            create table customerio.deliveries as
            select n, 'd' || n as delivery_id, cio as internal_customer_id,
                'journey' || n as subject_id from crowd;
            create table customerio.metrics as
            select n, 'd' || n as delivery_id, 'sent' as metric from crowd;
            create table customerio.delivery_contents as
            select n, 'd' || n as delivery_id, '{SHARED}' as recipient from crowd;
            create table customerio.webhooks as
            select n, '{{"data": {{"recipient": "' || email || '", "identifiers": {{"id": "' ||
                customer || '"}}}}}}' as data from crowd
            union all select 1, '{{"data": {{"identifiers": {{"id": "customer-1"}}, "cc":
                ["ann@example.com", "ann@example.com.au"], "n": 1.10}}}}';
            create table behavior.events as
            select n, customer as customer_id, email, 'order' as event_name, 'p10' as product_id
            from crowd
            union all select 4, '10', 'ann@example.com', 'order', 'p1' -- a present
            union all select 0, 'nobody', 'ann@example.com', 'order', 'p1'
            union all select 4, null, '{SHARED}', 'order', 'customer-10x';
            create table heap_connect.users as
            select n, 1000 + n as user_id, customer as identity, email from crowd;
            create table behavior.clicks as
            select n, 1000 + (n + 1) % 7 as user_id, customer as customer_id from crowd;
            drop table crowd;
            """
        )
    publish(home.settings, home.console, limits=FAST)
    (home.path / "reviews").mkdir()
    (home.path / "logs").mkdir()
    for n, (customer, _, email) in enumerate(CROWD):
        (home.path / "reviews" / f"{n}.html").write_text(f"<td>{email}</td>")
        (home.path / "logs" / f"{n}.log").write_text(f"{customer} did it\n")
    return home


def rows_of_others(home: Home, n: int) -> dict[str, list[tuple[object, ...]]]:
    found = {}
    """Every row of raw, warehouse and ledger that is not the person's."""
    customer = CROWD[n][0] if n >= 0 else ""
    for path, is_others in (
        (home.settings.raw_path, f"n <> {n}"),
        (home.settings.warehouse_path, f"person_id <> 'person{n}'"),
        (home.settings.ledger_path, f"heap_identity <> '{customer}'"),
    ):
        with duckdb.connect(str(path), read_only=True) as db:
            for schema, table in db.execute(
                "select table_schema, table_name from information_schema.tables "
                "where table_schema <> 'loads'"
            ).fetchall():
                names = [r[0] for r in db.execute(f"describe {schema}.{table}").fetchall()]
                if is_others.split()[0] in names:
                    found[f"{path.stem}.{schema}.{table}"] = db.execute(
                        f"select * from {schema}.{table} where {is_others} order by all"
                    ).fetchall()
    return found


@pytest.fixture(scope="module")
def crowd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    with running_sandbox(limits=OPEN) as sandbox:
        yield crowd_home(tmp_path_factory.mktemp("crowd") / "home", sandbox.url)


def copied(home: Home, folder: Path) -> Home:
    """The same home in another place."""
    shutil.copytree(home.path, folder)
    copy = Home.__new__(Home)
    copy.path, copy.console, copy.models = folder, home.console, home.models
    copy.settings = publisher_settings(folder, home.settings.heap_url)
    return copy


@pytest.mark.parametrize("in_files", [False, True])
@pytest.mark.parametrize("n", [0, 2, 3, 4])
def test_whoever_s_identifiers_contain_the_person_s_is_untouched(
    crowd: Home, tmp_path: Path, n: int, in_files: bool
) -> None:
    home = copied(crowd, tmp_path / "home")
    if in_files:
        moved_into_files(home.path)
    before = rows_of_others(home, n)
    files = {
        p: p.read_bytes() for p in home.path.rglob("*") if p.parent.name in ("reviews", "logs")
    }
    [plan] = (home.path / "plans").iterdir()
    lines = plan.read_bytes().splitlines()
    certificate = erase(home.settings, CROWD[n][n % 3], home.console, poll_seconds=0)
    after = rows_of_others(home, n)
    customer, _, email = CROWD[n]
    for table, rows in before.items():
        if n > 2 or table not in {  # who is mentioned by somebody else: see below
            "raw.customerio.attributes", "raw.customerio.webhooks", "raw.behavior.events"
        }:  # fmt: skip
            assert after[table] == rows, table
        assert len(after[table]) == len(rows), table
    kept = [line for line in lines if json.loads(line).get("identity") != customer]
    assert plan.read_bytes().splitlines() == kept
    assert len(lines) - len(kept) == 3
    for path, content in files.items():
        if path.stem != str(n):
            assert path.read_bytes() == content, path.name
    with duckdb.connect(str(home.settings.raw_path), read_only=True) as raw:
        for table in ("customerio.people", "customerio.metrics", "customerio.webhooks"):
            assert raw.execute(f"select count(*) from {table} where n = {n}").fetchall() == [(0,)]
    assert email not in (home.path / "reviews" / f"{n}.html").read_text()
    assert certificate.proof.found == []
    # the mailbox that everybody showed is nobody's
    assert certificate.count_shared_identifiers_kept == 1
    kinds = {t.identifier_type for t in tombstones.read_file(home.settings)}
    assert kinds == {
        "cio_id", "customer_id", "email", "heap_identity", "heap_user_id", "kept_email"
    }  # fmt: skip
    told = salted_hash(tombstones.read_file(home.settings)[0].salt, "email", SHARED)
    assert told not in (home.path / "tombstones.json").read_text()
    if in_files:
        assert there(home.path) == counted(home.path)
        assert f'"{email.lower()}"' not in "".join(map(values, there(home.path)))
        assert certificate.path is not None
        said = json.loads(certificate.path.read_text())["proof"]
        assert said["raw_files"]["raw/customerio/people"] == 2
        assert sum(said["raw_files"].values()) == len(there(home.path))


@pytest.mark.parametrize("in_files", [False, True])
def test_somebody_else_s_row_loses_the_mention_and_stays(
    crowd: Home, tmp_path: Path, in_files: bool
) -> None:
    home = copied(crowd, tmp_path / "home")
    if in_files:
        moved_into_files(home.path)
    certificate = erase(home.settings, "ann@example.com", home.console, poll_seconds=0)
    with duckdb.connect(str(home.settings.raw_path), read_only=True) as raw:
        attributes = raw.execute(
            "select internal_customer_id, attribute_value from customerio.attributes "
            "where attribute_name <> 'mail' order by all"
        ).fetchall()
        [(webhook,)] = raw.execute(
            "select data from customerio.webhooks where contains(data, 'cc')"
        ).fetchall()
        orders = raw.execute(
            "select customer_id, email, product_id from behavior.events "
            "where n in (0, 4) order by all"
        ).fetchall()
    assert attributes == [
        ("c1", None),
        ("c100", None),
        ("c1001", "customer-100"),
        ("c1001", "friend of (erased), not joann@example.com"),
        ("xc10", "10"),
    ]
    assert '[null, "ann@example.com.au"], "n": 1.10' in webhook
    assert orders == [
        ("10", "ann+news@example.com", "p10"),
        ("10", None, "p1"),
        (None, SHARED, "customer-10x"),
    ]
    assert certificate.mentions_removed == {
        "raw.customerio.attributes.attribute_value": 3,
        "raw.customerio.webhooks.data": 1,
        "raw.behavior.events.email": 1,
    }
    # what was seen inside longer identifiers is named, and left
    assert "raw.customerio.people.email_addr" in certificate.proof.left


def test_a_mailbox_that_several_people_hold_names_nobody(crowd: Home, tmp_path: Path) -> None:
    home = copied(crowd, tmp_path / "home")
    before = rows_of_others(home, -1)
    with pytest.raises(CounterfoilError, match="7 people hold this identifier"):
        erase(home.settings, SHARED, home.console, poll_seconds=0)
    assert rows_of_others(home, -1) == before
    assert not (home.path / "tombstones.json").exists()


def test_the_last_who_holds_a_shared_mailbox_takes_it_along(crowd: Home, tmp_path: Path) -> None:
    home = copied(crowd, tmp_path / "home")
    kept = [
        erase(home.settings, cio_id, home.console, poll_seconds=0).count_shared_identifiers_kept
        for _, cio_id, _ in CROWD
    ]
    assert kept == [1, 1, 1, 1, 1, 1, 0]
    for path in home.path.rglob("*"):
        if path.is_file():
            assert SHARED.encode() not in path.read_bytes(), path.name


PASSED_ON = "moved@example.com"


def passed_on(crowd: Home, folder: Path) -> Home:
    """The crowd, with an address that customer-1 held at first and customer-10 holds since."""
    home = copied(crowd, folder)
    for person, since, until in (("person1", "2025-01-01", "2026-01-01"),
                                 ("person0", "2026-01-01", None)):  # fmt: skip
        home.insert(
            "marts.map_identifiers",
            [
                {
                    "workspace_id": 1, "identifier_type": "email", "identifier": PASSED_ON,
                    "person_id": person, "evidence": "people", "valid_from": since,
                    **({"valid_to": until} if until else {}),
                }
            ],
        )  # fmt: skip
    with duckdb.connect(str(home.settings.raw_path)) as raw:
        raw.execute(
            "insert into customerio.people (n, workspace_id, customer_id, internal_customer_id, "
            f"email_addr) values (0, 1, 'customer-10', 'c10', '{PASSED_ON}'), "
            f"(1, 1, 'customer-1', 'c1', ' {PASSED_ON.upper()}')"
        )
    return home


def cio_ids_in(home: Home) -> set[str]:
    with duckdb.connect(str(home.settings.raw_path), read_only=True) as raw:
        found = raw.execute("select internal_customer_id from customerio.people").fetchall()
    return {cio_id for (cio_id,) in found}


def test_the_same_command_again_erases_no_earlier_holder(crowd: Home, tmp_path: Path) -> None:
    home = passed_on(crowd, tmp_path / "home")
    everybody = cio_ids_in(home)
    erase(home.settings, PASSED_ON, home.console, poll_seconds=0)
    assert cio_ids_in(home) == everybody - {"c10"}
    before = rows_of_others(home, 0)
    for by in (PASSED_ON, PASSED_ON.title()):
        with pytest.raises(CounterfoilError, match="also held by somebody who was erased") as told:
            erase(home.settings, by, home.console, poll_seconds=0)
        assert "moved" not in str(told.value).lower()
    assert rows_of_others(home, 0) == before
    assert home.ledger("select count(*) from receipts") == [(18,)]
    # whoever is named by what nobody erased ever held is erased as before
    erase(home.settings, "ann@example.com.au", home.console, poll_seconds=0)
    erase(home.settings, "c1", home.console, poll_seconds=0)
    assert cio_ids_in(home) == everybody - {"c10", "c100", "c1"}
    with pytest.raises(CounterfoilError, match="erased before"):
        erase(home.settings, PASSED_ON, home.console, poll_seconds=0)


@pytest.mark.parametrize("step", ["journal", "raw", "certificate"])
def test_what_finishes_a_stopped_erasure_erases_no_earlier_holder(
    crowd: Home, tmp_path: Path, capsys: pytest.CaptureFixture[str], step: str
) -> None:
    home = passed_on(crowd, tmp_path / "home")
    everybody = cio_ids_in(home)
    erase_killed_after(step, home, "customer-10")
    erase(home.settings, PASSED_ON, Console(), poll_seconds=0)
    assert "nobody else was erased" in " ".join(capsys.readouterr().out.split())
    assert cio_ids_in(home) == everybody - {"c10"}
    assert home.ledger("select count(*) from receipts where heap_identity = 'customer-1'") == [(3,)]
    assert not list((home.path / "erasures").glob("*.unfinished"))
    with pytest.raises(CounterfoilError, match="also held by somebody who was erased"):
        erase(home.settings, PASSED_ON, home.console, poll_seconds=0)
    assert cio_ids_in(home) == everybody - {"c10"}


def test_another_workspace_s_profile_of_the_same_id_is_somebody_else(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.settings.warehouse_path.unlink()
    with duckdb.connect(str(home.settings.raw_path)) as raw:
        raw.execute(
            """
            create schema customerio;
            create table customerio.people as
            select * from (values (7, 'C1', 'a01', 'ann@example.com'),
                (8, 'D1', 'a01', 'bob@example.com'), (8, 'D2', 'a02', 'ann@example.com'))
                as t (workspace_id, customer_id, internal_customer_id, email_addr);
            create table customerio.deliveries as
            select * from (values (7, 'd1', 'a01'), (8, 'd2', 'a01'), (8, 'd3', 'a02'),
                (8, 'd4', 'a01'), (7, 'd4', 'a01'))
                as t (workspace_id, delivery_id, internal_customer_id);
            create table customerio.metrics as
            select delivery_id, workspace_id from customerio.deliveries;
            """
        )
    with pytest.raises(CounterfoilError, match="stands for nobody"):
        erase(home.settings, "Guest", home.console, poll_seconds=0)
    certificate = erase(home.settings, "C1", home.console, poll_seconds=0)
    with duckdb.connect(str(home.settings.raw_path), read_only=True) as raw:
        people = raw.execute("select customer_id from customerio.people order by all").fetchall()
        deliveries = raw.execute(
            "select workspace_id, delivery_id from customerio.deliveries order by all"
        ).fetchall()
        metrics = raw.execute("select delivery_id from customerio.metrics order by all").fetchall()
    assert people == [("D1",), ("D2",)]
    assert deliveries == [(8, "d2"), (8, "d3"), (8, "d4")]
    assert metrics == [("d2",), ("d3",), ("d4",), ("d4",)]
    kept = {t.identifier_type for t in tombstones.read_file(home.settings)}
    # the cio_id and the address are somebody else's too: they keep nobody out, and name nobody
    assert kept == {"customer_id", "kept_cio_id", "kept_email"}
    assert certificate.proof.found == []
    for by, they in (("a01", "their person_id"), ("Ann@example.com", "their cio_id or person_id")):
        with pytest.raises(CounterfoilError, match=f"held by somebody who was erased.*{they}"):
            erase(home.settings, by, home.console, poll_seconds=0)
    erase(home.settings, "a02", home.console, poll_seconds=0)
    with duckdb.connect(str(home.settings.raw_path), read_only=True) as raw:
        assert raw.execute("select customer_id from customerio.people").fetchall() == [("D1",)]


# -- every app that was told ---------------------------------------------------------------------


def told_elsewhere(home: Home, app: str = "7654321", *, is_local: bool = False) -> Settings:
    """As if some of what Heap was told about customer-10 had gone to another app; its settings."""
    other = home.settings.model_copy(update={"heap_app_id": SecretStr(app), "heap_region": "us"})
    with Ledger(home.settings) as ledger:
        key = ledger.target_key(require_target(other))
        ledger.db.execute(
            "insert into targets values (?, '****321', 'us', ?, timestamp '2026-01-01')",
            [key, is_local],
        )
        ledger.db.execute(
            "update receipts set target = ? where heap_identity = 'customer-10' "
            "and publish_key like '%-1'",
            [key],
        )
    return other


def test_each_app_that_was_told_is_asked_before_anything_is_erased(
    crowd: Home, tmp_path: Path
) -> None:
    home = copied(crowd, tmp_path / "home")
    other = told_elsewhere(home)
    with pytest.raises(CounterfoilError, match=r"app \*\*\*\*321 \(us\) too.*--only-app"):
        erase(home.settings, "c10", home.console, poll_seconds=0)
    told = "select count(*) from receipts where heap_identity = 'customer-10'"
    assert home.ledger(told) == [(3,)]
    # nobody is told about the person from here on, and asking the same app again changes nothing
    assert {t.identifier_type for t in tombstones.read_file(home.settings)} > {"email"}
    with pytest.raises(CounterfoilError, match="too, which the request does not speak for"):
        erase(home.settings, "c10", home.console, poll_seconds=0)
    certificate = erase(other, "ann@example.com", home.console, poll_seconds=0)
    assert home.ledger(told) == [(0,)]
    assert certificate.heap.status == "complete"
    assert sorted(certificate.heap.apps) == ["app ****321 (us)", "app ****567 (eu, local Heap)"]
    assert all(what.startswith("asked (request") for what in certificate.heap.apps.values())
    assert "app ****321 (us): asked" in "\n".join(certificate_lines(certificate))


@pytest.mark.parametrize("is_local", [True, False])
def test_an_app_that_is_no_more_is_named(crowd: Home, tmp_path: Path, is_local: bool) -> None:
    home = copied(crowd, tmp_path / "home")
    told_elsewhere(home, is_local=is_local)
    certificate = erase(
        home.settings, "c10", home.console, poll_seconds=0, is_only_app=not is_local
    )
    label = f"app ****321 (us{', local Heap' if is_local else ''})"
    said = certificate.heap.apps[label]
    assert said.startswith("not asked: a local Heap" if is_local else "not asked apart")


def test_whom_heap_connect_shows_is_deleted_though_never_told(
    tmp_path: Path, heap: Sandbox
) -> None:
    home = Home(tmp_path / "home", heap.url)
    home.insert(
        "marts.map_identifiers",
        [
            {"workspace_id": 1, "identifier_type": kind, "identifier": value, "person_id": "p1"}
            for kind, value in (
                ("cio_id", "c10"), ("customer_id", "customer-10"), ("email", "ann@example.com"),
            )
        ],
    )  # fmt: skip
    home.insert(
        "heap.heap_cio_message_sent",
        [
            {
                "publish_key": f"sent-00000000{n}", "heap_identity": identity,
                "person_id": f"p{n + 1}",
                "occurred_at": "2026-01-01", "workspace_id": 1,
            }
            for n, identity in enumerate(("customer-10", "Ann@Example.com", "bob@example.com"))
        ],
    )  # fmt: skip
    publish(home.settings, home.console, limits=FAST)
    home.sql("delete from marts.dim_persons where person_id = 'p2'")
    with duckdb.connect(str(home.settings.ledger_path)) as ledger:  # the site told Heap, not we
        ledger.execute("delete from receipts where heap_identity <> 'customer-10'")
    with duckdb.connect(str(home.settings.raw_path)) as raw:
        raw.execute(
            "create schema heap_connect; create table heap_connect.users as "
            "select 7 as user_id, 'Ann@Example.com' as identity, 'ann@example.com' as email"
        )
    certificate = erase(home.settings, "c10", home.console, poll_seconds=0)
    assert certificate.heap.count_users == 2
    assert set(heap.store().by_identity) == {"bob@example.com"}


def test_every_copy_of_a_database_loses_the_person(crowd: Home, tmp_path: Path) -> None:
    home = copied(crowd, tmp_path / "home")
    shutil.copy(home.settings.warehouse_path, home.path / "warehouse.last.duckdb")
    shutil.copy(home.settings.ledger_path, home.path / "ledger-of-may.duckdb")
    certificate = erase(home.settings, "customer-10", home.console, poll_seconds=0)
    assert certificate.rows_removed["warehouse.last.marts.dim_persons"] == 1
    assert certificate.proof.found == []
    with duckdb.connect(str(home.path / "warehouse.last.duckdb"), read_only=True) as copy:
        emails = copy.execute("select email from marts.dim_persons").fetchall()
    assert sorted(emails) == sorted((email,) for _, _, email in CROWD[1:])
    with duckdb.connect(str(home.path / "ledger-of-may.duckdb"), read_only=True) as ledger:
        assert ledger.execute("select count(*) from receipts").fetchall() == [(18,)]


# -- nothing but what is ours ---------------------------------------------------------------------


def parquet(columns: str) -> bytes:
    with tempfile.TemporaryDirectory() as folder, duckdb.connect() as db:
        path = Path(folder) / "it.parquet"
        db.execute(f"copy (select {columns} from range(3)) to '{path}' (compression zstd)")
        return path.read_bytes()


def avro(identity: str) -> bytes:
    fields = [{"name": "identity", "type": "string"}, {"name": "n", "type": "long"}]
    content = io.BytesIO()
    schema = fastavro.parse_schema({"type": "record", "name": "users", "fields": fields})
    fastavro.writer(content, schema, [{"identity": identity, "n": 1}], codec="deflate")
    return content.getvalue()


def zipped(text: str) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mail.txt", text)
    return content.getvalue()


def test_files_of_others_are_left_and_named_and_ours_lose_only_the_person(
    crowd: Home, tmp_path: Path
) -> None:
    home = copied(crowd, tmp_path / "home")
    lines = [f"{i},{email}\n" for i, (_, _, email) in enumerate(CROWD)]
    theirs: dict[str, bytes] = {
        "exports/behavior.csv": "".join(["event_id,email\n", *lines]).encode(),
        "exports/webhooks.jsonl": b'{"to": "ann@example.com"}\n',
        "exports/webhooks-2.jsonl.gz": gzip.compress(b'{"to": "ann@example.com"}\n'),
        "exports/webhooks-3.jsonl.gz": gzip.compress(b'{"to": "joann@example.com"}\n'),
        "exports/people_v5_7_1.parquet": b"PAR1ann@example.comPAR1",  # damaged
        "exports/webhooks-4.jsonl.bz2": bz2.compress(b'{"u": "/?e=ann%40example.com"}\n'),
        "exports/webhooks-5.jsonl.xz": lzma.compress(b'{"to": "ann@example.com.au"}\n'),
        "exports/deliveries_v5_7_1.parquet": parquet("'c10' as internal_customer_id"),
        "exports/deliveries_v5_7_2.parquet": parquet("'c100' as internal_customer_id, 'c10' as x"),
        "exports/outputs_v5_7_1.parquet": parquet("['x', 'Ann@Example.com'] as sent_to"),
        "exports/outputs_v5_7_2.parquet": parquet("{'to': 'ann@example.com.au'} as sent_to"),
        "exports/users_7.avro": avro("customer-10"),
        "exports/users_8.avro": avro("customer-100"),
        "plans/behavior.csv": b"event_id,email\n1,ann@example.com\n",
        "tmp/behavior.csv": b"event_id,email\n1,joann@example.com\n",
        "notes.txt": b"call ann@example.com",
        "mail to ann@example.com.txt": b"to ann@example.com",
        "other/list.csv": b"x" * (1 << 20) + b"\nann@example.com\n",
        "other/spelled.json": b'{"to": "\\u0061nn\\u0040example.com"}',
        "other/wide.txt": "of customer-10".encode("utf-16"),
        "other/mail.zip": zipped("of ann@example.com"),
        "other/others.zip": zipped("of joann@example.com"),
        "other/crm.sqlite": b"damaged",
        "other/customer-10/list.csv": b"nobody",
    }
    for name, content in theirs.items():
        (home.path / name).parent.mkdir(parents=True, exist_ok=True)
        (home.path / name).write_bytes(content)
    header = "stratum,person_id,workspace_id,customer_id,email,heap_identity,identifiers,verdict\n"
    sheet = [
        f'matched,person{n},1,{c},{e},{c},"email {e}; note\nof two lines",yes\r\n'
        for n, (c, _, e) in enumerate(CROWD)
    ]
    ours = home.path / "identity_sample.csv"
    ours.write_text(header + "".join(sheet), newline="")
    (home.path / "migrations").mkdir()
    mapping = home.path / "migrations" / "customer_id_to_email.csv"
    mapping.write_text(
        "person_id,workspace_id,old_identity,new_identity,outcome\n"
        "person0,1,customer-10,ann@example.com,mapped\nperson2,1,customer-100,x@example.com,mapped\n"
    )
    leftovers = [home.path / "spill" / "duckdb_temp_1.tmp", home.path / "raw.duckdb.partial"]
    leftovers[0].parent.mkdir()
    for path in leftovers:
        path.write_bytes(b"ann@example.com")

    certificate = erase(home.settings, "customer-10", home.console, poll_seconds=0)

    for name, content in theirs.items():
        assert (home.path / name).read_bytes() == content, name
    assert ours.read_bytes().decode() == header + "".join(sheet[1:])
    assert mapping.read_text().count("\n") == 2
    assert not any(path.exists() for path in leftovers)
    left = certificate.proof.left
    places = ("raw.", "warehouse.", "ledger.", "the blocks")
    assert {name for name in left if not name.startswith(places)} == {
        "exports/behavior.csv", "exports/webhooks.jsonl", "exports/webhooks-2.jsonl.gz",
        "exports/webhooks-4.jsonl.bz2", "exports/deliveries_v5_7_1.parquet",
        "exports/outputs_v5_7_1.parquet", "exports/users_7.avro", "plans/behavior.csv",
        "notes.txt", "other/list.csv", "(erased)", "(erased) (2)", "other/spelled.json",
        "other/wide.txt", "other/mail.zip", "other/(erased)",
    }  # fmt: skip
    unread = "1 packed, binary or damaged files that are not ours: yours to look into"
    assert certificate.proof.not_searched == {
        "exports/*.parquet": unread, "other/*.sqlite": unread,
    }  # fmt: skip
    assert certificate.proof.found == []
    assert certificate.path is not None
    assert "ann@" not in certificate.path.read_text()
    said = "\n".join(certificate_lines(certificate))
    assert "left: notes.txt: not ours" in said
    assert "not searched: exports/*.parquet" in said
    assert "nothing found but what is named here" in said


def test_a_plan_that_lost_rows_cannot_be_sent(crowd: Home, tmp_path: Path) -> None:
    home = copied(crowd, tmp_path / "home")
    [plan] = (home.path / "plans").iterdir()
    erase(home.settings, "customer-10", home.console, poll_seconds=0)
    with pytest.raises(CounterfoilError, match="changed after it was made"):
        publish(home.settings, home.console, plan, limits=FAST)


# -- stopped anywhere -----------------------------------------------------------------------------

KILLED = """
import os, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from publisher_home import settings
from pipelines.console import Console
from pipelines.erasure.erase import erase
erase(
    settings(Path(sys.argv[2]), sys.argv[3]), sys.argv[4], Console(as_json=True), poll_seconds=0,
    on_step=lambda step: os._exit(9) if step == sys.argv[5] else None,
)
"""


def _arguments(home: Home, identifier: str, step: str) -> list[str]:
    url = home.settings.heap_url
    assert url is not None
    return [str(Path(__file__).parents[1]), str(home.path), url, identifier, step]


def erase_killed_after(step: str, home: Home, identifier: str) -> None:
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, *_arguments(home, identifier, step)],
        cwd=PROJECT_DIR,
        capture_output=True,
        check=False,
    )
    assert killed.returncode == 9, killed.stderr


@pytest.mark.parametrize("step", STEPS)
def test_killed_after_any_step_it_is_taken_up_by_any_identifier(
    crowd: Home, tmp_path: Path, step: str
) -> None:
    home = copied(crowd, tmp_path / "home")
    (home.path / "notes.md").write_text("ann@example.com")
    before = rows_of_others(home, 0)
    erase_killed_after(step, home, "c10")
    by = ["Ann@Example.com", "customer-10", "person0"][STEPS.index(step) % 3]
    certificate = erase(home.settings, by, home.console, poll_seconds=0)
    assert certificate.proof.found == []
    assert sum(certificate.rows_removed.values()) > 15
    assert {name: len(rows) for name, rows in rows_of_others(home, 0).items()} == {
        name: len(rows) for name, rows in before.items()
    }
    assert home.ledger("select count(*) from receipts where heap_identity = 'customer-10'") == [
        (0,)
    ]
    for path in home.path.rglob("*"):
        if path.is_file() and path.suffix in (".html", ".jsonl", ".json", ".unfinished"):
            assert '"customer-10"' not in path.read_text(), path.name
            assert path.suffix != ".unfinished"
    with pytest.raises(CounterfoilError, match="erased before"):
        erase(home.settings, "ann@example.com", home.console, poll_seconds=0)


def test_killed_at_any_instant_it_is_taken_up(
    crowd: Home, tmp_path: Path, note: Callable[[str, int], None]
) -> None:
    """Each kill in its part of the run, of an erasure or of one that takes a killed one up."""

    def begun(home: Home) -> BaseProcess:
        return started(erasing, home.path, home.settings.heap_url, "ann@example.com")

    seconds = seconds_of(begun(copied(crowd, tmp_path / "calm")))
    chance = random.Random(5)
    tries, count = KILLS if PROVE else 4, 0
    for number in range(3 * tries):
        if count >= tries:
            break
        home = copied(crowd, tmp_path / f"home{number}")
        for _ in range(2):
            if is_killed(begun(home), seconds * (count % tries + chance.random()) / tries):
                count += 1
            else:
                seconds *= 0.98  # it was quicker than the first
        if list((home.path / "erasures").glob("*.unfinished")) or home.ledger(
            "select count(*) from receipts where heap_identity = 'customer-10'"
        ) != [(0,)]:
            done = erase(home.settings, "customer-10", home.console, poll_seconds=0)
            assert done.proof.found == []
        assert home.ledger("select count(*) from receipts") == [(18,)]
        with duckdb.connect(str(home.settings.raw_path), read_only=True) as raw:
            assert raw.execute("select count(*) from customerio.people").fetchall() == [(12,)]
        shutil.rmtree(home.path)
    note("kills of an erasure", count)
    assert count >= tries


def test_an_erasure_of_somebody_else_finishes_the_stopped_one_first(
    crowd: Home, tmp_path: Path
) -> None:
    home = copied(crowd, tmp_path / "home")
    erase_killed_after("warehouse", home, "c10")
    erase(home.settings, "joann@example.com", home.console, poll_seconds=0)
    assert home.ledger(
        "select count(*) from receipts where heap_identity in ('customer-10', 'customer-1')"
    ) == [(0,)]
    assert len(list((home.path / "erasures").glob("erasure-*.json"))) == 2
    assert not list((home.path / "erasures").glob("*.unfinished"))


def test_whom_heap_would_not_delete_is_not_taken_up_by_itself(crowd: Home, tmp_path: Path) -> None:
    home = copied(crowd, tmp_path / "home")
    home.settings.__dict__["heap_api_key"] = None
    with pytest.raises(UsageError, match="HEAP_API_KEY is not set"):
        erase(home.settings, "c10", home.console, poll_seconds=0)
    assert not list(home.path.glob("erasures/*"))


def test_after_a_restored_ledger_the_next_erasure_goes_through(crowd: Home, tmp_path: Path) -> None:
    home = copied(crowd, tmp_path / "home")
    shutil.copy(home.settings.ledger_path, tmp_path / "backup.duckdb")
    erase(home.settings, "c10", home.console, poll_seconds=0)
    shutil.copy(tmp_path / "backup.duckdb", home.settings.ledger_path)
    assert erase(home.settings, "c1", home.console, poll_seconds=0).proof.found == []
    assert home.ledger(
        "select count(*) from receipts where heap_identity in ('customer-10', 'customer-1')"
    ) == [(0,)]


def test_an_id_in_other_letters_is_somebody_else_after_a_kill_too(
    crowd: Home, tmp_path: Path
) -> None:
    home = copied(crowd, tmp_path / "home")
    erase_killed_after("journal", home, "c10")
    erase(home.settings, "C10", home.console, poll_seconds=0)
    with duckdb.connect(str(home.settings.raw_path), read_only=True) as raw:
        left = raw.execute("select internal_customer_id from customerio.people").fetchall()
    assert not {("c10",), ("C10",)} & set(left)


def test_a_plan_loses_the_rows_of_whom_only_the_exports_know(crowd: Home, tmp_path: Path) -> None:
    home = copied(crowd, tmp_path / "home")
    home.settings.warehouse_path.unlink()
    home.settings.ledger_path.unlink()
    [plan] = (home.path / "plans").iterdir()
    before = plan.read_bytes().splitlines()
    erase(home.settings, "ann@example.com", home.console, poll_seconds=0)
    assert plan.read_bytes().splitlines() == [
        line for line in before if json.loads(line).get("identity") != "customer-10"
    ]


def test_what_is_not_ours_stays_in_our_own_folders(crowd: Home, tmp_path: Path) -> None:
    home = copied(crowd, tmp_path / "home")
    kept = [
        "registries/mine/message_names.csv", "registries/0123456789abcdef/message_names.csv",
        "docs/notes.md", "duckdb_temp.csv", "target/compiled.sql",
    ]  # fmt: skip
    for name in kept:
        (home.path / name).parent.mkdir(parents=True, exist_ok=True)
        (home.path / name).write_text("of joann@example.com and ann@example.com.au\n")
    made_anew = ["registries/fedcba9876543210/message_names.csv", "target/run.sql"]
    for name in made_anew:
        (home.path / name).parent.mkdir(parents=True, exist_ok=True)
        (home.path / name).write_text("of ann@example.com\n")
    (home.path / "registries/mine/experiments.csv").write_text("of ann@example.com\n")
    certificate = erase(home.settings, "c10", home.console, poll_seconds=0)
    assert all((home.path / name).exists() for name in kept)
    assert not any((home.path / name).exists() for name in made_anew)
    assert "registries/mine/experiments.csv" in certificate.proof.left


def test_no_row_goes_from_a_file_that_we_did_not_write(crowd: Home, tmp_path: Path) -> None:
    """However it is called, and in whatever folder of ours it lies."""
    home = copied(crowd, tmp_path / "home")
    (home.path / "migrations").mkdir()
    theirs = {
        "plans/people.jsonl": b'{"identity": "customer-10"}\n{"identity": "customer-1"}\n',
        "plans/only.jsonl": b'{"identity": "customer-10"}\n',
        "plans/only.jsonl.partial": b'{"identity": "customer-10"}\n',
        "migrations/list.csv": b"name,email\r\nAnn,ann@example.com\r\n",
    }
    for name, content in theirs.items():
        (home.path / name).write_bytes(content)
    certificate = erase(home.settings, "customer-10", home.console, poll_seconds=0)
    assert {name: (home.path / name).read_bytes() for name in theirs} == theirs
    not_ours = "not ours, names the person: yours to clean (a load keeps them out)"
    assert {certificate.proof.left.get(name) for name in theirs} == {not_ours}
    assert certificate.proof.found == []


def test_a_folder_on_another_disk_is_searched_through_its_link(crowd: Home, tmp_path: Path) -> None:
    home = copied(crowd, tmp_path / "home")
    shutil.move(home.path / "plans", tmp_path / "plans")
    (home.path / "plans").symlink_to(tmp_path / "plans")
    shutil.move(home.settings.raw_path, tmp_path / "raw.duckdb")
    home.settings.raw_path.symlink_to(tmp_path / "raw.duckdb")
    erase(home.settings, "c10", home.console, poll_seconds=0)
    [plan] = (tmp_path / "plans").iterdir()
    assert b'"customer-10"' not in plan.read_bytes()
    assert home.settings.raw_path.is_symlink()
    with duckdb.connect(str(tmp_path / "raw.duckdb"), read_only=True) as raw:
        assert raw.execute(
            "select count(*) from customerio.people where internal_customer_id = 'c10'"
        ).fetchall() == [(0,)]


@pytest.mark.parametrize("body", [b"<html>sign in</html>", b"", b"{}", b"[]", b"\xff"])
def test_a_deletion_api_that_is_none_erases_nobody(
    crowd: Home, tmp_path: Path, body: bytes
) -> None:
    class Page(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    home = copied(crowd, tmp_path / "home")
    with ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        settings = home.settings.model_copy(
            update={"heap_url": f"http://127.0.0.1:{server.server_port}"}
        )
        with pytest.raises(CounterfoilError, match="not Heap as documented"):
            erase(settings, "c10", home.console, poll_seconds=0)
        server.shutdown()
    with duckdb.connect(str(home.settings.raw_path), read_only=True) as raw:
        assert raw.execute(
            "select count(*) > 0 from customerio.people where internal_customer_id = 'c10'"
        ).fetchall() == [(True,)]


def said(status: int, text: str) -> bytes:
    body = text.encode()
    head = f"HTTP/1.1 {status} OK\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


@pytest.mark.parametrize(
    "late", ["auth_token", "user_deletion", "deletion_status", "never complete"]
)
def test_a_heap_that_deletes_without_end_is_waited_for_in_bounds(
    crowd: Home, tmp_path: Path, late: str
) -> None:
    """Nothing here is erased then; the next run takes it up."""
    answers = {
        b"auth_token": said(200, '{"access_token": "word"}'),
        b"user_deletion": said(201, '{"deletion_request_id": 7, "status": "pending"}'),
        b"deletion_status": said(200, '{"status": "pending"}'),
    }

    def answer(request: bytes) -> AsyncIterator[bytes]:
        path = request.split(b"\r\n")[0]
        if late.encode() in path:
            return drip(b" ", before=b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n")
        return once(next(text for name, text in answers.items() if name in path))

    home = copied(crowd, tmp_path / "home")
    with adversary(answer) as url:
        settings = home.settings.model_copy(update={"heap_url": url})
        started = time.monotonic()
        with pytest.raises(CounterfoilError, match="nothing was erased") as stopped:
            erase(settings, "c10", home.console, poll_seconds=0.02, heap_seconds=0.5)
        assert time.monotonic() - started < 8
    assert late == "auth_token" or "in time" in str(stopped.value)
    assert "c10" in cio_ids_in(home)
    assert erase(home.settings, "c10", home.console, poll_seconds=0).heap.status == "complete"
    assert "c10" not in cio_ids_in(home)
