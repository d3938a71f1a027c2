"""An erasure reaches what the ledger knows of audiences, and the plans that were written."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from publisher_home import Home

from pipelines.console import Console
from pipelines.erasure.erase import erase
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


@pytest.mark.parametrize("told", ["customer-10", "ann@example.com", "a0100000001"])
def test_erased_people_are_in_no_table_of_audiences(
    told: str, tmp_path: Path, heap: Sandbox
) -> None:
    home = Home(tmp_path / "home", heap.url)
    ensure_raw(home.settings)
    plan = home.settings.plans_dir / "audiences-plan.jsonl"
    plan.parent.mkdir(exist_ok=True)
    lines = [json.dumps({"counterfoil_plan": 1, "plan_id": "audiences-plan"})]
    with Ledger(home.settings) as ledger:
        for person, cio_id, customer_id, email in PEOPLE:
            values = {
                "person_id": person, "cio_id": cio_id, "customer_id": customer_id, "email": email,
            }  # fmt: skip
            for table, row in ROWS.items():
                asked = {name: value for name, value in values.items() if f"${name}" in row}
                ledger.db.execute(f"insert into {table} values {row}", asked)
            lines.append(json.dumps({"action": "add", "cio_id": cio_id, "identifier": customer_id}))
    plan.write_text("\n".join(lines) + "\n")
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
    erase(home.settings, told, Console(as_json=True), is_only_app=True)
    for table in ROWS:
        found = home.ledger(f"select cio_id from {table}")
        assert found == [("a0200000002",)], table
    for path in home.settings.home.rglob("*.jsonl"):
        text = path.read_text()
        assert "customer-10" not in text, path
        assert "a0100000001" not in text, path
