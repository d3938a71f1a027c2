"""The recipes of docs/recipes do what they say, word for word, on a copy of the project."""

from __future__ import annotations

import csv
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
from segment_world import copy_project

from pipelines import registries, warehouse
from pipelines.errors import CounterfoilError
from pipelines.heap.marts import declared_models
from pipelines.settings import PROJECT_DIR, Settings

AS_OF = '{"as_of": "2026-06-01 00:00:00"}'


def recipe(name: str) -> str:
    return (PROJECT_DIR / "docs" / "recipes" / f"{name}.md").read_text(encoding="utf-8")


def write_files(page: str, project: Path) -> list[str]:
    """Write each block that stands under the name of its file; the names."""
    named = re.findall(r"`([\w./-]+)`:\n\n```\w+\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    for name, text in named:
        path = project / name
        assert not path.exists(), f"{name} is there already"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return [name for name, _ in named]


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page, re.DOTALL | re.MULTILINE)


def insert(path: Path, text: str, before: str) -> None:
    whole = path.read_text(encoding="utf-8")
    assert whole.count(before) == 1, f"{path.name} has `{before}` {whole.count(before)} times"
    path.write_text(whole.replace(before, text + before), encoding="utf-8")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "project").mkdir()
    return copy_project(tmp_path / "project")


@pytest.fixture
def home(settings: Settings) -> Settings:
    settings.home.mkdir(parents=True)
    duckdb.connect(str(settings.raw_path)).close()
    return settings


def build(home: Settings, project: Path, *select: str) -> set[str]:
    """Build and test what is selected on what is there; the names of what passed."""
    options = ["build", "--vars", AS_OF, "--select", *select]
    results = warehouse.invoke(home, project / "seeds", options, project=project)
    return {str(result.node.name) for result in results}


def rows(home: Settings, query: str) -> list[tuple[object, ...]]:
    with duckdb.connect(str(home.warehouse_path), read_only=True) as db:
        found: list[tuple[object, ...]] = db.execute(query).fetchall()
        return found


def test_a_threshold(home: Settings, project: Path) -> None:
    page = recipe("threshold")
    assert len(write_files(page, project)) == 2
    declared = blocks(page, "yaml")[0]
    insert(project / "dbt_project.yml", declared, "  # An input is stale when nothing came")
    with duckdb.connect(str(home.warehouse_path)) as db:
        db.execute("create schema marts")
        db.execute(
            "create table marts.fct_source_freshness as select * from (values "
            "('people', 720::bigint), ('metrics', 721), ('behavior', null)) "
            "as t (family, hours_since_last_event)"
        )
    passed = build(home, project, "fct_silent_sources")
    assert "fct_silent_sources_just_beyond_the_threshold" in passed
    assert rows(home, "from marts.fct_silent_sources") == [("metrics", 721, 720)]


def test_an_event(home: Settings, project: Path) -> None:
    page = recipe("event")
    assert len(write_files(page, project)) == 4
    with duckdb.connect(str(home.warehouse_path)) as db:
        db.execute("create schema marts")
        db.execute(
            "create table marts.fct_lifecycle_stages as select * from (values "
            "('ann', 'new', timestamp '2026-01-01'), ('ann', 'active', timestamp '2026-02-01'), "
            "('bob', 'new', timestamp '2026-01-01')) as t (person_id, lifecycle_stage, entered_at)"
        )
        db.execute(
            "create table marts.dim_persons as select * from (values "
            "('ann', 7::bigint, 'ann@shop.example', 'matched', true, null), "
            "('bob', 7, 'bob@shop.example', 'suppressed', false, 'person is suppressed')) "
            "as t (person_id, workspace_id, heap_identity, match_status, is_publishable, "
            "refusal_reason)"
        )
        # the other Heap models, with nothing but the properties of ann
        row = "'k' as publish_key, 'ann@shop.example' as heap_identity, 'ann' as person_id"
        db.execute("create schema heap_candidates; create schema heap")
        for model in PROJECT_DIR.glob("models/heap/workings/int_heap__*.sql"):
            for place in (
                f"heap_candidates.{model.stem}",
                f"heap.heap_cio_{model.stem.removeprefix('int_heap__')}",
            ):
                db.execute(
                    f"create table {place} as select {row}, timestamp '2026-01-01' as occurred_at, "
                    "cast(null as varchar) as refusal_reason where false"
                )
        db.execute(
            "create table heap.heap_persons as select person_id, workspace_id, heap_identity, "
            "refusal_reason, false as is_new_to_heap, false as is_held from marts.dim_persons"
        )
        db.execute(f"create table heap.heap_user_properties as select {row}")
        db.execute("create table heap.heap_forbidden_identities (identifier varchar)")
        keys = "publish_key varchar, earlier_publish_key varchar"
        db.execute(f"create table heap.heap_earlier_keys ({keys})")
    # a step left out is found
    with pytest.raises(CounterfoilError, match="heap_cio_stage_entered declares itself Heap's"):
        build(home, project, "heap_refusals")
    events = project / "macros/heap/heap_events.sql"
    insert(events, blocks(page, "sql")[-1], "    ] -%}\n    {%- if execute -%}")
    checks = {path.stem for path in (project / "tests/dbt/heap").glob("assert_*.sql")}
    checks.remove("assert_state_is_the_stays_open_now")  # asks the segments, which are not here
    models = {"int_heap__stage_entered", "heap_cio_stage_entered", "heap_refusals"}
    passed = build(home, project, *models, "int_checklist__heap", *checks)
    assert checks | models <= passed
    told = "select heap_identity, lifecycle_stage from heap.heap_cio_stage_entered order by all"
    assert rows(home, told) == [("ann@shop.example", "active"), ("ann@shop.example", "new")]
    kept_back = (
        "select refusal_reason from heap_candidates.int_heap__stage_entered where person_id = 'bob'"
    )
    assert rows(home, kept_back) == [("person is suppressed",)]
    refused = "select kind, reason from heap.heap_refusals where kind <> 'user_properties'"
    assert rows(home, refused) == [("cio_stage_entered", "person is suppressed")]
    counted = "select measured from checklist.int_checklist__heap where line = 'refusals'"
    assert rows(home, counted) == [("40.00% of 5 (person is suppressed 2)",)]
    # the publisher knows it
    manifest = json.loads((home.home / "target" / "manifest.json").read_text())
    assert "cio_stage_entered" in {model.event for model in declared_models(manifest)}


def test_an_input_family(tmp_path: Path, project: Path) -> None:
    shutil.copy(PROJECT_DIR / "cli.py", project / "cli.py")
    shutil.copytree(
        PROJECT_DIR / "pipelines",
        project / "pipelines",
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    page = recipe("family")
    assert len(write_files(page, project)) == 4
    known = project / "pipelines/loading/sources/__init__.py"
    text = known.read_text(encoding="utf-8")
    for before, after in (
        ("heap_connect, heap_segments\n", "heap_connect, heap_segments, surveys\n"),
        ("    *heap_connect.FAMILIES,\n", "    *heap_connect.FAMILIES,\n    surveys.ANSWERS,\n"),
        (
            "        behavior.recognise,\n",
            "        behavior.recognise,\n        surveys.recognise,\n",
        ),
    ):
        assert before in text
        text = text.replace(before, after)
    known.write_text(text, encoding="utf-8")
    export = tmp_path / "export"
    export.mkdir()
    (export / "surveys_may.csv").write_text(
        "answer_id,customer_id,score,answered_at\n"
        "a,C1,9,2026-05-01T10:00:00Z\n"
        "a,C1,8,2026-05-02T10:00:00Z\n"
        "b,C2,3,2026-07-01T10:00:00Z\n"
    )
    for arguments in (
        ("load", str(export)),
        ("build", "--select", "stg_surveys__answers", "--as-of", "2026-06-01"),
    ):
        said = subprocess.run(
            [sys.executable, str(project / "cli.py"), *arguments],
            env={"COUNTERFOIL_HOME": str(tmp_path / "home"), "PATH": ""},
            capture_output=True,
            text=True,
            check=False,
        )
        assert said.returncode == 0, said.stdout + said.stderr
    with duckdb.connect(str(tmp_path / "home" / "warehouse.duckdb"), read_only=True) as db:
        staged = "select answer_id, customer_id, score from staging.stg_surveys__answers"
        assert db.execute(staged).fetchall() == [("a", "C1", 8)]


def test_an_experiment(home: Settings, project: Path) -> None:
    page = recipe("experiment")
    for name, block in zip(("experiments", "experiment_arms"), blocks(page, "csv"), strict=True):
        path = project / "seeds" / f"{name}.csv"
        columns = len(next(csv.reader([path.read_text().splitlines()[0]])))
        assert {len(row) for row in csv.reader(block.splitlines())} == {columns}
        with path.open("a", encoding="utf-8") as registry:
            registry.write(block)
    properties = project / "models/heap/heap_user_properties.yml"
    insert(properties, blocks(page, "yaml")[0], "      - name: cio_arm_winback\n")
    # the registries are read as `--registries` reads them, and pass the tests of the seeds
    registries.compose(home, project / "seeds")
    # by name alone it would be the whole domain
    build(
        home, project, "experiments,resource_type:seed", "experiment_arms", "int_experiments__arms"
    )
    arms = (
        "select arm, is_control from experiments.int_experiments__arms "
        "where experiment_key = 'welcome' order by arm"
    )
    assert rows(home, arms) == [("holdout", True), ("treatment", False)]
    manifest = json.loads((home.home / "target" / "manifest.json").read_text())
    told = manifest["nodes"]["model.counterfoil.heap_user_properties"]["columns"]
    assert "cio_arm_welcome" in told
