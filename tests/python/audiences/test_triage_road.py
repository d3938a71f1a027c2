"""From a row of the triage to the people of an audience, on the sample brand, step by step."""

from __future__ import annotations

import csv
import shutil
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest
from publisher_home import mark_whole
from review_home import LOADED, built_home, changed
from segment_world import copy_project

from pipelines import warehouse
from pipelines.audiences.planning import make_plan
from pipelines.console import Console
from pipelines.segments.findings import find
from pipelines.segments.scaffold import new_segment

AS_OF = datetime(2026, 6, 1)
QUIET = Console(as_json=True)
STRATUM = (
    "workspace_id", "lifecycle_stage", "frequency_band", "ltv_tier", "intent_tier",
    "experiment_key", "arm",
)  # fmt: skip

QUIET_PEOPLE = """
    select states.person_id
    from marts.dim_person_states as states
    inner join (
        select person_id, count(*) as count_orders from segments.int_segments__orders
        group by person_id
    ) as bought using (person_id)
    inner join marts.fct_triage_audiences as triage
        on triage.audience_key = $1
            and states.lifecycle_stage = triage.lifecycle_stage
            and states.ltv_tier = triage.ltv_tier
            and states.intent_tier = triage.intent_tier
            and case triage.frequency_band
                when 'one order' then count_orders = 1
                when 'two or three orders' then count_orders between 2 and 3
                else count_orders > 3
            end
    where states.subscription_status = 'subscribed'
        and states.person_id in (
            select person_id from identity.int_identity__profiles
            group by person_id having min(workspace_id) = triage.workspace_id)
"""


def rows(path: Path, statement: str, *values: Any) -> list[dict[str, Any]]:
    with duckdb.connect(str(path), read_only=True) as db:
        cursor = db.execute(statement, list(values))
        names = [column[0] for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def test_a_row_of_the_triage_becomes_an_audience_that_is_planned(
    tmp_path_factory: pytest.TempPathFactory, tmp_path: Path
) -> None:
    """The first row: `segments new --from-finding`, its row pasted, a build, `audiences plan`.

    Those who are planned are its quiet people without those held out, and no more than its cap.
    """
    built = built_home(tmp_path_factory)
    home = tmp_path / "home"
    settings = changed(built, home)
    shutil.copy(built / LOADED, home / "raw.duckdb")
    (told,) = rows(
        settings.warehouse_path,
        "select * from marts.fct_triage_audiences order by triage_rank limit 1",
    )
    key = told["segment_key"]
    stratum = "/".join(str(told[name]) for name in STRATUM)

    (tmp_path / "project").mkdir()
    project = copy_project(tmp_path / "project")
    finding = find(settings, f"triage/{stratum}")
    new_segment(QUIET, key, finding=finding, is_hypothesis=True, project=project)

    (registries,) = (built / "registries").iterdir()
    seeds = shutil.copytree(registries, tmp_path / "seeds")
    declared = list(csv.reader((seeds / "audiences.csv").open()))
    pasted = {**told, "destination_id": "77", "owner": "Retention"}
    with (seeds / "audiences.csv").open("a", newline="") as file:
        csv.writer(file).writerow([pasted.get(name, "") for name in declared[0]])
    warehouse.invoke(
        settings,
        seeds,
        ["build", "--vars", f'{{"as_of": "{AS_OF}"}}', "--select", key, "audiences",
         "fct_segment_memberships", "dim_segment_versions", "path:models/audiences"],
        project=project,
    )  # fmt: skip
    mark_whole(home, AS_OF)

    plan = make_plan(settings, QUIET)
    (share,) = [one for one in plan.shares if one.audience_key == told["audience_key"]]
    members = {
        row["person_id"]
        for row in rows(
            settings.warehouse_path,
            "select person_id from marts.fct_audience_members where audience_key = $1 "
            "and is_member",
            told["audience_key"],
        )
    }
    quiet = {row["person_id"] for row in rows(settings.warehouse_path, QUIET_PEOPLE, key)}
    held_out = {
        row["person_id"]
        for row in rows(
            settings.warehouse_path,
            "select person_id from marts.fct_experiment_assignments "
            "where experiment_key = $1 and is_control",
            told["experiment_key"],
        )
    }
    assert len(quiet) == told["count_persons"]
    assert members
    assert members <= quiet - held_out
    assert len(members) <= told["max_members"]
    assert share.adds == len(members)
    assert quiet & held_out
