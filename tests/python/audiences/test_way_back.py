"""The worked example of docs/audiences.md, as `make run` ends with it, on the sample brand."""

from __future__ import annotations

import csv
import hashlib
from pathlib import Path

import duckdb
import pytest
import yaml
from pydantic import SecretStr
from review_home import built_home, changed, settings_for

from pipelines.audiences.example import MIRRORED, WRITTEN, living, walk
from pipelines.console import Console
from pipelines.review.gather import gather
from pipelines.review.page import render
from pipelines.sample import SAMPLE_AS_OF
from pipelines.sample.brand import BRAND_WORKSPACE
from pipelines.sandbox import Sandbox
from pipelines.sandbox.workspace import Profile
from pipelines.segments.findings import find
from pipelines.settings import PROJECT_DIR, Settings

MEMBERS = """
    select cio_id, identifier from marts.fct_audience_members
    where audience_key = $1 and is_member
"""
FOUND = """
    select distinct person_id
    from identity.int_identity__behavior_events as seen
    where workspace_id = $workspace and behavior = 'shipping_viewed'
        and occurred_at >= $as_of - to_hours(168) and occurred_at < $as_of
        and not exists (
            select 1 from identity.int_identity__behavior_events as later
            where later.person_id = seen.person_id and later.workspace_id = $workspace
                and later.behavior = 'payment_viewed'
                and later.occurred_at between seen.occurred_at and $as_of
        )
"""
HELD_OUT = """
    select profiles.cio_id, lower(people.email)
    from marts.fct_experiment_assignments as assignments
    inner join identity.int_identity__profiles as profiles using (person_id)
    inner join staging.stg_customerio__people as people
        on profiles.workspace_id = people.workspace_id and profiles.cio_id = people.cio_id
    where assignments.experiment_key = 'cart_recovery' and assignments.is_control
"""


def rehearsing(settings: Settings, heap: Sandbox) -> Settings:
    return settings.model_copy(
        update={
            "site_id": SecretStr("site"),
            "track_api_key": SecretStr("key"),
            "customerio_region": "us",
            "track_url": heap.url,
        }
    )


def test_the_worked_example_tells_its_members_and_nobody_held_out(
    tmp_path_factory: pytest.TempPathFactory,
    tmp_path: Path,
    heap: Sandbox,
    capsys: pytest.CaptureFixture[str],
) -> None:
    home = tmp_path / "home"
    settings = rehearsing(changed(built_home(tmp_path_factory), home), heap)
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


def test_the_segment_of_the_worked_example_is_that_of_a_finding_of_the_sample(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """As `segments new --from-finding` wrote it; its people are those of the finding's query."""
    settings = settings_for(built_home(tmp_path_factory))
    with duckdb.connect(str(settings.warehouse_path), read_only=True) as db:
        made_of = db.execute(
            "select distinct segment_key, version from registries.audiences "
            "where audience_key in ($1, $2)",
            [MIRRORED, WRITTEN],
        ).fetchall()
        members = db.execute(
            "select person_id from segments.shipping_dropped_v1 where exited_at is null"
        ).fetchall()
        found = db.execute(FOUND, {"workspace": BRAND_WORKSPACE, "as_of": SAMPLE_AS_OF}).fetchall()
    assert made_of == [("shipping_dropped", 1)]
    folder = PROJECT_DIR / "models" / "segments" / "shipping_dropped"
    said = yaml.safe_load((folder / "shipping_dropped.yml").read_text(encoding="utf-8"))
    evidence = said["models"][0]["versions"][0]["config"]["meta"]["evidence"]
    assert (evidence["status"], evidence["is_hypothesis"]) == ("ok", False)
    finding = find(settings, evidence["finding"])
    assert (folder / "shipping_dropped_v1.sql").read_text(encoding="utf-8") == finding.sql
    assert set(finding.evidence) <= set(evidence)
    assert sorted(members) == sorted(found)
    assert len(members) > 5


def test_the_page_counts_whom_we_told_of_and_who_is_held_out_since(
    tmp_path_factory: pytest.TempPathFactory, tmp_path: Path, heap: Sandbox
) -> None:
    """In a segment, and in a file; whoever stays as they were is not counted."""
    settings = rehearsing(changed(built_home(tmp_path_factory), tmp_path / "home"), heap)
    heap.customerio.profiles = [
        Profile(one["cio_id"], one["customer_id"], one["email"])
        for one in living(settings, BRAND_WORKSPACE)
    ]
    walk(settings, Console(as_json=True))
    assert gather(settings).held_out_since == []
    with duckdb.connect(str(settings.warehouse_path)) as db:
        counts: dict[str, int] = dict(
            db.execute(
                "select audience_key, count(*) from marts.fct_audience_members "
                "where is_member group by audience_key"
            ).fetchall()
        )
        db.execute(
            "insert into audiences.int_audiences__held_out "
            "select audience_key, min(person_id) from marts.fct_audience_members "
            "where is_member group by audience_key"
        )
        db.execute(
            "update marts.fct_audiences set blocked_reason = 'tried' where audience_key = ?",
            [MIRRORED],
        )
    assert min(counts.values()) > 1
    found = gather(settings).held_out_since
    assert {row["audience_key"]: row["count_people"] for row in found} == {MIRRORED: 1, WRITTEN: 1}
    page = render(gather(settings), "week.json")
    assert "1 told of before and held out since: in it until it may move" in page
    assert "1 told of before and held out since: out with the next push or file" in page
