"""An erasure reaches what the ledger knows of audiences, and the plans that were written."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from publisher_home import Home

from pipelines.console import Console
from pipelines.erasure.certificate import certificate_lines
from pipelines.erasure.erase import erase
from pipelines.erasure.stillheld import PROFILE, UPLOADED
from pipelines.heap.ledger import Ledger
from pipelines.loading import ensure_raw
from pipelines.sandbox import Sandbox

PEOPLE = (
    ("ann", "a0100000001", "customer-10", "ann@example.com"),
    ("bob", "a0200000002", "customer-20", "bob@example.com"),
)
ROWS = {
    "audience_state": "('sms', $customer_id, 'added', now()::timestamp, 't', '31', 1, $cio_id, "
    "'customer_id', 'plan')",
    "audience_intents": "(1, 't', 'sms', '31', 'add', 1, $cio_id, 'email', $email, 'plan')",
    "audience_memberships": "('t', '31', $cio_id, now()::timestamp)",
    "audience_exported": "('ads', 'meta', 1, $cio_id, $person_id, 'email', $email, 'hash', 'e')",
}


def fill(home: Home) -> None:
    """Two people, each told of in every way there is."""
    with Ledger(home.settings) as ledger:
        for person, cio_id, customer_id, email in PEOPLE:
            values = {
                "person_id": person, "cio_id": cio_id, "customer_id": customer_id, "email": email,
            }  # fmt: skip
            for table, row in ROWS.items():
                asked = {name: value for name, value in values.items() if f"${name}" in row}
                ledger.db.execute(f"insert into {table} values {row}", asked)
    for person, cio_id, customer_id, email in PEOPLE:
        home.insert(
            "marts.dim_persons",
            [
                {
                    "person_id": person, "workspace_id": 1, "customer_id": customer_id,
                    "email": email, "heap_identity": customer_id, "match_status": "matched",
                    "is_publishable": True,
                }
            ],
        )  # fmt: skip
        home.insert(
            "marts.map_identifiers",
            [
                {
                    "workspace_id": 1, "identifier_type": kind, "identifier": value,
                    "person_id": person, "valid_from": "1970-01-01", "evidence": "people",
                }
                for kind, value in (
                    ("cio_id", cio_id), ("customer_id", customer_id), ("email", email)
                )
            ],
        )  # fmt: skip


@pytest.mark.parametrize("told", ["customer-10", "ann@example.com", "a0100000001"])
def test_erased_people_are_in_no_table_of_audiences(
    told: str, tmp_path: Path, heap: Sandbox
) -> None:
    home = Home(tmp_path / "home", heap.url)
    ensure_raw(home.settings)
    plan = home.settings.plans_dir / "audiences-plan.jsonl"
    plan.parent.mkdir(exist_ok=True)
    lines = [json.dumps({"counterfoil_plan": 1, "plan_id": "audiences-plan"})]
    for _, cio_id, customer_id, _ in PEOPLE:
        lines.append(json.dumps({"action": "add", "cio_id": cio_id, "identifier": customer_id}))
    plan.write_text("\n".join(lines) + "\n")
    fill(home)
    certificate = erase(home.settings, told, Console(as_json=True), is_only_app=True)
    assert certificate.still_held == {
        "Customer.io, segment 31 (audience sms)": f"added by us; {PROFILE}",
        "meta (audience ads)": f"in the last file; {UPLOADED}",
    }
    said = "\n".join(certificate_lines(certificate))
    assert f"still held: Customer.io, segment 31 (audience sms): added by us; {PROFILE}" in said
    assert certificate.path is not None
    assert json.loads(certificate.path.read_text())["still_held"] == certificate.still_held
    for table in ROWS:
        found = home.ledger(f"select cio_id from {table}")
        assert found == [("a0200000002",)], table
    for path in home.settings.home.rglob("*.jsonl"):
        text = path.read_text()
        assert "customer-10" not in text, path
        assert "a0100000001" not in text, path


def hashed(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def test_an_add_without_an_answer_is_told_as_such(tmp_path: Path, heap: Sandbox) -> None:
    home = Home(tmp_path / "home", heap.url)
    ensure_raw(home.settings)
    fill(home)
    with Ledger(home.settings) as ledger:
        ledger.db.execute("delete from audience_state; delete from audience_exported")
    certificate = erase(home.settings, "customer-10", Console(as_json=True), is_only_app=True)
    assert certificate.still_held == {
        "Customer.io, segment 31 (audience sms)": f"maybe added by us, no answer came; {PROFILE}"
    }
    nobody = erase(home.settings, "customer-20", Console(as_json=True), is_only_app=True)
    assert list(nobody.still_held) == ["Customer.io, segment 31 (audience sms)"]


def test_the_profile_of_another_workspace_is_not_theirs(tmp_path: Path, heap: Sandbox) -> None:
    home = Home(tmp_path / "home", heap.url)
    ensure_raw(home.settings)
    fill(home)
    with Ledger(home.settings) as ledger:
        for table in ("audience_state", "audience_intents", "audience_exported"):
            ledger.db.execute(f"update {table} set workspace_id = 2")
    certificate = erase(home.settings, "customer-10", Console(as_json=True), is_only_app=True)
    assert certificate.still_held == {}


@pytest.mark.parametrize(
    ("file", "left"),
    [
        (hashed("ann@example.com"), ""),
        ("", hashed("a.nn+x@gmail.com".replace("+x", ""))),
        ("", hashed("ann@gmail.com")),
        ("hash", ""),
        ("x,customer-10", ""),
        (f"x,{hashed('customer-10')}", ""),
    ],
)
def test_ad_files_of_the_home_that_hold_the_erased_go(
    file: str, left: str, tmp_path: Path, heap: Sandbox
) -> None:
    home = Home(tmp_path / "home", heap.url)
    ensure_raw(home.settings)
    fill(home)
    home.insert(
        "marts.map_identifiers",
        [
            {
                "workspace_id": 1, "identifier_type": "email", "identifier": "a.nn+x@gmail.com",
                "person_id": "ann", "valid_from": "1970-01-01", "evidence": "people",
            }
        ],
    )  # fmt: skip
    folder = home.settings.home / "reviews"
    folder.mkdir(exist_ok=True)
    for name, row, departed in (("theirs", file, left), ("others", hashed("bob@example.com"), "")):
        (folder / f"{name}.csv").write_text(f"email,extern_id\n{row}\n")
        (folder / f"{name}.csv.left.csv").write_text(f"email,extern_id\n{departed}\n")
        (folder / f"{name}.csv.manifest.json").write_text('{"counterfoil_ad_file": 1}')
    (folder / "mine.csv").write_text(f"email\n{hashed('ann@example.com')}\n")
    certificate = erase(home.settings, "customer-10", Console(as_json=True), is_only_app=True)
    assert certificate.files_removed["ad files"] == 3
    assert sorted(path.name for path in folder.iterdir()) == [
        "mine.csv", "others.csv", "others.csv.left.csv", "others.csv.manifest.json",
    ]  # fmt: skip
