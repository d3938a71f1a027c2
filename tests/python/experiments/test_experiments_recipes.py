"""The recipes for a guardrail and for an assignment source, followed as their pages have them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import duckdb
import pytest
from segment_world import copy_project

from pipelines import warehouse
from pipelines.errors import CounterfoilError
from pipelines.settings import PROJECT_DIR, Settings

AS_OF = '{"as_of": "2026-06-01 00:00:00"}'
WORKINGS = Path("models/experiments/workings")
FAMILIES = ("allocation", "labels", "visibility", "definitions", "size")
SOURCES = ("split", "branch", "attribute", "hash")

UPSTREAM = """
create schema experiments; create schema staging; create schema identity;
create table experiments.int_experiments__instants as
    select 'cart' as experiment_key, timestamp '2026-06-01' as read_at, true as is_current;
create table experiments.int_experiments__people as
    select 'cart' as experiment_key, timestamp '2026-05-24 12:00:00' as assigned_at;
create table experiments.int_experiments__arms as
    select 'cart' as experiment_key, 'treatment' as arm, 1::bigint as allocation_version,
        'manual_segment' as assignment_source, 7::bigint as split_index,
        null::bigint as split_action_id, 1::bigint as workspace_id, 101::bigint as campaign_id,
        timestamp '2026-01-01' as started_at, null::timestamp as ended_at,
        timestamp '2026-01-01' as valid_from, null::timestamp as valid_to;
create table staging.stg_customerio__subjects as
    select 1::bigint as workspace_id, 's' as journey_entry_id, 'ann' as cio_id,
        101::bigint as campaign_id;
create table staging.stg_customerio__outputs as
    select 1::bigint as workspace_id, 's' as journey_entry_id, 1100::bigint as action_id,
        output_id, manual_segment_id, timestamp '2026-03-01' as created_at
    from (values ('o1', 7::bigint), ('o2', 8), ('o3', null))
        as steps (output_id, manual_segment_id);
create table identity.int_identity__profiles as
    select 1::bigint as workspace_id, 'ann' as cio_id, 'p_ann' as person_id
"""
ASSIGNED = """
create table experiments.int_experiments__assigned_by_{} (
    experiment_key varchar, workspace_id bigint, cio_id varchar, journey_entry_id varchar,
    arm varchar, allocation_version bigint, assignment_source varchar, source_key varchar,
    unplaced_reason varchar, assigned_at timestamp
)
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "project").mkdir()
    return copy_project(tmp_path / "project")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A state folder with what the recipes' models read."""
    (tmp_path / "home").mkdir()
    made = Settings.model_validate({"COUNTERFOIL_HOME": tmp_path / "home"})
    duckdb.connect(str(made.raw_path)).close()
    with duckdb.connect(str(made.warehouse_path)) as db:
        db.execute(UPSTREAM)
        for source in SOURCES:
            db.execute(ASSIGNED.format(source))
        for family in FAMILIES:  # each measures what the registry asks of it
            db.execute(
                f"""
                create table experiments.int_experiments__guardrails_{family} as
                select 'cart' as experiment_key, timestamp '2026-06-01' as read_at,
                    'itt' as population, measure, null::double as value, null::double as threshold
                from (
                    select distinct measure from read_csv($1, header = true)
                    where family = '{family}'
                )
                """,
                [str(PROJECT_DIR / "seeds/guardrails.csv")],
            )
    return made


def test_a_guardrail_is_a_row_and_a_model(project: Path, settings: Settings) -> None:
    page = (PROJECT_DIR / "docs/recipes/guardrail.md").read_text(encoding="utf-8")
    row, sql, story = _block(page, "csv"), _block(page, "sql"), _block(page, "yaml")
    selected = (
        "guardrails", "int_experiments__guardrail_rules", "int_experiments__guardrails_flow",
        "int_experiments__guardrail_values", "int_experiments__guardrails",
        "fct_experiment_health",
    )  # fmt: skip

    with (project / "seeds/guardrails.csv").open("a", encoding="utf-8") as seed:
        seed.write(row)
    with pytest.raises(CounterfoilError, match="codes_are_registered"):  # nothing measures it yet
        build(settings, project, *selected)

    (project / WORKINGS / "int_experiments__guardrails_flow.sql").write_text(sql)
    _copy_yml(
        project, "int_experiments__guardrails_visibility", "int_experiments__guardrails_flow", story
    )
    _name(project, "int_experiments__guardrail_values", '"size"', '"flow"')
    build(settings, project, *selected, "assert_silence_is_not_health")
    assert ask(
        settings,
        "select verdict, value, threshold from marts.fct_experiment_health "
        "where guardrail = 'stalled'",
    ) == [("warn", 8.0, 7.0)]


def test_a_measure_without_a_rule_fails_the_build(project: Path, settings: Settings) -> None:
    """A registry that forgets a check is not a check that passed."""
    path = project / "seeds/guardrails.csv"
    kept = [line for line in path.read_text().splitlines() if not line.startswith("srm,")]
    path.write_text("\n".join(kept) + "\n")
    with pytest.raises(CounterfoilError, match="codes_are_registered"):
        build(
            settings, project, "guardrails", "int_experiments__guardrail_values",
        )  # fmt: skip


def test_an_assignment_source_is_a_model(project: Path, settings: Settings) -> None:
    page = (PROJECT_DIR / "docs/recipes/assignment_source.md").read_text(encoding="utf-8")
    model = "int_experiments__assigned_by_manual_segment"
    (project / WORKINGS / f"{model}.sql").write_text(_block(page, "sql"))
    _copy_yml(project, "int_experiments__assigned_by_branch", model)
    _name(project, "int_experiments__assignment_events", '"hash"', '"manual_segment"')
    seeds = project / "seeds/experiments.csv"
    seeds.write_text(seeds.read_text().replace(",split,", ",manual_segment,", 1))
    selected = ("path:seeds/experiments.csv", model, "int_experiments__assignment_events",
                "fct_experiment_unassigned")  # fmt: skip

    with pytest.raises(CounterfoilError, match="assignment_source"):  # not named in the registry
        build(settings, project, *selected)

    yml = project / "seeds/_registries.yml"
    yml.write_text(yml.read_text().replace("attribute, hash]", "attribute, hash, manual_segment]"))
    build(settings, project, *selected)
    assert ask(
        settings,
        "select arm, cio_id, source_key, unplaced_reason "
        "from experiments.int_experiments__assignment_events order by source_key",
    ) == [("treatment", "ann", "o1", None), (None, "ann", "o2", "index of no registered arm")]
    assert ask(settings, "select source_key, reason from marts.fct_experiment_unassigned") == [
        ("o2", "index of no registered arm")
    ]


def build(settings: Settings, project: Path, *select: str) -> None:
    warehouse.invoke(
        settings,
        project / "seeds",
        ["build", "--vars", AS_OF, "--select", *select, "--indirect-selection", "cautious"],
        project=project,
    )


def ask(settings: Settings, query: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(settings.warehouse_path), read_only=True) as db:
        rows: list[tuple[Any, ...]] = db.execute(query).fetchall()
    return rows


def _block(page: str, kind: str) -> str:
    (text,) = re.findall(rf"```{kind}\n(.*?)```", page, re.DOTALL)
    return str(text)


def _copy_yml(project: Path, neighbour: str, model: str, story: str = "") -> None:
    """The yml of a neighbour for the model, with its own unit tests in place of the neighbour's."""
    text = (project / WORKINGS / f"{neighbour}.yml").read_text(encoding="utf-8")
    described = text.partition("unit_tests:")[0].replace(neighbour, model)
    (project / WORKINGS / f"{model}.yml").write_text(described + story)


def _name(project: Path, union: str, after: str, name: str) -> None:
    """One more name at the end of a union's list."""
    path = project / WORKINGS / f"{union}.sql"
    text = path.read_text(encoding="utf-8")
    assert f"{after}]" in text
    path.write_text(text.replace(f"{after}]", f"{after}, {name}]"))
