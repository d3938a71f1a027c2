"""The worked example of docs/audiences.md, as `make run` ends with it, on the sample brand."""

from __future__ import annotations

import csv
import hashlib
from pathlib import Path

import duckdb
import pytest
from pydantic import SecretStr
from review_home import built_home, changed

from pipelines.audiences.example import MIRRORED, WRITTEN, living, walk
from pipelines.console import Console
from pipelines.sample.brand import BRAND_WORKSPACE
from pipelines.sandbox import Sandbox
from pipelines.sandbox.workspace import Profile

MEMBERS = """
    select cio_id, identifier from marts.fct_audience_members
    where audience_key = $1 and is_member
"""
HELD_OUT = """
    select profiles.cio_id, lower(people.email)
    from marts.fct_experiment_assignments as assignments
    inner join identity.int_identity__profiles as profiles using (person_id)
    inner join staging.stg_customerio__people as people
        on profiles.workspace_id = people.workspace_id and profiles.cio_id = people.cio_id
    where assignments.experiment_key = 'cart_recovery' and assignments.is_control
"""


def test_the_worked_example_tells_its_members_and_nobody_held_out(
    tmp_path_factory: pytest.TempPathFactory,
    tmp_path: Path,
    heap: Sandbox,
    capsys: pytest.CaptureFixture[str],
) -> None:
    home = tmp_path / "home"
    settings = changed(built_home(tmp_path_factory), home).model_copy(
        update={
            "site_id": SecretStr("site"),
            "track_api_key": SecretStr("key"),
            "customerio_region": "us",
            "track_url": heap.url,
        }
    )
    heap.customerio.profiles = [
        Profile(one["cio_id"], one["customer_id"], one["email"])
        for one in living(settings, BRAND_WORKSPACE)
    ]
    with duckdb.connect(str(settings.warehouse_path), read_only=True) as db:
        members, mailed = (
            dict(db.execute(MEMBERS, [key]).fetchall()) for key in (MIRRORED, WRITTEN)
        )
        held_out = dict(db.execute(HELD_OUT).fetchall())
        segment = db.execute(
            "select destination_id from registries.audiences where audience_key = $1", [MIRRORED]
        ).fetchall()[0][0]

    walk(settings, Console())

    told = heap.customerio.segments[int(segment)]
    assert not heap.customerio.invented
    assert told == set(members)
    assert told
    assert held_out
    assert not told & set(held_out)
    with (home / "reviews" / f"{WRITTEN}.csv").open(encoding="utf-8", newline="") as file:
        written = {row["email"] for row in csv.DictReader(file)}
    assert written == {hashlib.sha256(email.encode()).hexdigest() for email in mailed.values()}
    assert written
    assert not written & {
        hashlib.sha256(email.encode()).hexdigest() for email in held_out.values() if email
    }
    said = capsys.readouterr().out
    assert f"{len(told):,} are in segment {segment} by us" in said
    assert f"{len(written):,} hashed rows with consent" in said
    assert "held out and told of all the same: 0" in said
