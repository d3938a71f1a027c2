"""The Hillstrom test in other holdout encodings, added to one export, gives one answer.

The export draws by A/B split with a trapped control. Beside it stand the same draws as a random
cohort branch and as a cohort attribute, each as an experiment of its own over the same people, and
once more as one that runs on, read through the confidence sequence.
"""

from __future__ import annotations

import csv
import shutil
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest
from scipy import stats

from pipelines import registries
from pipelines.console import Console
from pipelines.loading import load
from pipelines.settings import Settings
from pipelines.warehouse import invoke

VARS = '{"as_of": "2025-04-01 00:00:00", "experiments_covariate": "history"}'
SELECTED = ["+fct_lift", "+fct_lift_adjusted", "+fct_experiment_health"]


@pytest.fixture(scope="module")
def home(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    folder = tmp_path_factory.mktemp("hillstrom_encodings")
    export, seeds = folder / "export", folder / "seeds"
    for copy in (export, seeds):
        # the original may be for reading only, and a folder takes its rights along
        shutil.copytree(shared_data / "hillstrom" / copy.name, copy, copy_function=shutil.copyfile)
        copy.chmod(0o700)
    _encode(export)
    _register(seeds)
    settings = Settings(_env_file=None).model_copy(  # type: ignore[call-arg]
        update={"home": folder / "home"}
    )
    assert load([str(export)], settings, Console(as_json=True)).failure is None
    invoke(
        settings,
        registries.compose(settings, seeds),
        ["build", "--vars", VARS, "--select", *SELECTED,
         "--exclude", "resource_type:test", "resource_type:unit_test"],
    )  # fmt: skip
    return settings


def ask(settings: Settings, query: str) -> list[dict[str, Any]]:
    with duckdb.connect(str(settings.warehouse_path), read_only=True) as connection:
        answer = connection.execute(query)
        names = [column[0] for column in answer.description or []]
        return [dict(zip(names, row, strict=True)) for row in answer.fetchall()]


@pytest.fixture
def rows(home: Settings) -> list[dict[str, Any]]:
    return ask(
        home,
        "select * from marts.fct_lift where stratum = 'all' and experiment_key <> 'spring_running' "
        "order by experiment_key, population, metric_key, arm",
    )


def test_every_encoding_gives_the_published_answer(rows: list[dict[str, Any]]) -> None:
    answers: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        key = row.pop("experiment_key")
        row.pop("q_value")
        answers.setdefault(key, []).append(row)
    assert set(answers) == {"spring_email", "spring_branch", "spring_attribute"}
    assert len(answers["spring_email"]) == 16
    assert answers["spring_branch"] == answers["spring_email"]
    assert answers["spring_attribute"] == answers["spring_email"]


@pytest.mark.parametrize(
    ("arm", "metric", "lift", "low", "high"),
    [
        ("mens", "order_rate", 0.0068050, 0.0050143, 0.0086407),
        ("womens", "order_rate", 0.0031111, 0.0015017, 0.0047455),
        ("mens", "visit_rate", 0.0765896, None, None),
        ("womens", "visit_rate", 0.0452331, None, None),
        ("mens", "order_value", 0.769827, None, None),
        ("womens", "order_value", 0.424412, None, None),
    ],
)
def test_v16_at_the_declared_analysis(
    rows: list[dict[str, Any]], arm: str, metric: str, lift: float, low: float, high: float
) -> None:
    [row] = [
        row
        for row in rows
        if row["arm"] == arm and row["metric_key"] == metric and row["population"] == "itt"
    ][:1]
    assert row["lift"] == pytest.approx(lift, abs=5e-7)
    if low is not None:
        assert [row["lift_low"], row["lift_high"]] == pytest.approx([low, high], abs=5e-8)
    if metric == "order_value":
        assert (row["lift_low"], row["reasons"], row["p_method"]) == (None, "skew", "permutation")
        assert row["p_value"] < 0.02


def test_v16_counts_and_the_limits_that_the_skew_gate_withholds(home: Settings) -> None:
    arms = ask(
        home,
        """
        select metric_key, arm, count_treatment, count_control, sum_treatment, sum_control,
            welch_low, welch_high
        from experiments.int_experiments__contrasts
        inner join experiments.int_experiments__inference using (
            experiment_key, read_at, population, stratum, metric_key, arm, allocation_version
        )
        where is_current and experiment_key = 'spring_email' and population = 'itt'
            and stratum = 'all'
        """,
    )
    for arm, count, visits, buyers, spend, low, high in (
        ("mens", 21307, 3894, 267, 30311.69, 0.485140, 1.054515),
        ("womens", 21387, 3238, 189, 23038.11, 0.168957, 0.679868),
    ):
        shown = {row["metric_key"]: row for row in arms if row["arm"] == arm}
        for metric, total, held in (
            ("visit_rate", visits, 2262),
            ("order_rate", buyers, 122),
            ("order_value", spend, 13908.33),
        ):
            row = shown[metric]
            assert (row["count_treatment"], row["count_control"]) == (count, 21306)
            assert (row["sum_treatment"], row["sum_control"]) == (total, held)
        spent = shown["order_value"]
        assert [spent["welch_low"], spent["welch_high"]] == pytest.approx([low, high], abs=1e-6)


def test_v04_thirds_are_what_was_declared(home: Settings) -> None:
    ratios = ask(
        home,
        "select population, value, verdict from marts.fct_experiment_health "
        "where experiment_key = 'spring_email' and guardrail = 'srm' order by population desc",
    )
    assert [row["verdict"] for row in ratios] == ["ok", "ok"]
    itt = ratios[0]["value"]
    assert itt == pytest.approx(0.202531, abs=1e-6)
    assert stats.chi2.sf(itt, 2) == pytest.approx(0.903693, abs=1e-6)


def test_v17_the_lift_adjusted_by_what_people_spent_before(home: Settings) -> None:
    rows = {
        row["metric_key"]: row
        for row in ask(
            home,
            """
            select lift.*, adjusted_low, adjusted_high
            from marts.fct_lift_adjusted as lift
            inner join experiments.int_experiments__inference as inference
                using (experiment_key, metric_key, arm)
            where experiment_key = 'spring_email' and arm = 'mens' and covariate_theta is not null
            """,
        )
    }
    visit, spend = rows["visit_rate"], rows["order_value"]
    assert (visit["covariate"], visit["status"]) == ("history", "ok")
    assert visit["theta"] == pytest.approx(9.134195e-5, abs=5e-11)
    assert [visit["lift"], visit["lift_low"], visit["lift_high"]] == pytest.approx(
        [0.0764111, 0.0697895, 0.0830328], abs=1e-6
    )
    assert visit["lift_unadjusted"] == pytest.approx(0.0765896, abs=1e-6)
    assert 0.99 < visit["variance_ratio"] < 1
    assert spend["theta"] == pytest.approx(0.00122290, abs=5e-9)
    assert [spend["lift"], spend["adjusted_low"], spend["adjusted_high"]] == pytest.approx(
        [0.7674385, 0.4828129, 1.0520641], abs=1e-6
    )
    assert spend["lift_low"] is None, "the skew gate withholds it here too"


def test_v19_while_it_runs_the_sequence_is_shown(home: Settings) -> None:
    [row] = ask(
        home,
        "select * from marts.fct_lift where experiment_key = 'spring_running' and arm = 'womens' "
        "and metric_key = 'order_rate' and population = 'itt' and stratum = 'all'",
    )
    assert (row["interval_kind"], row["status"]) == ("sequence", "ok")
    assert [row["lift_low"], row["lift_high"]] == pytest.approx([0.000614, 0.005608], abs=1e-6)
    assert row["p_value"] == pytest.approx(0.005221, abs=1e-6)


def _encode(export: Path) -> None:
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        outputs = f"read_parquet('{export}/outputs_*.parquet', union_by_name = true)"
        connection.execute(
            f"""
            copy (
                select * replace (
                    output_id || 'b' as output_id, 1200 as action_id,
                    cast(null as bigint) as split_test_index,
                    cast(split_test_index + 1 as bigint) as branch_index
                )
                from {outputs} where split_test_index is not null
            ) to '{export}/outputs_v5_164000_241600000000319001.parquet' (format parquet)
            """
        )
        connection.execute(
            f"""
            copy (
                select distinct
                    outputs.workspace_id,
                    subjects.internal_customer_id,
                    'cohort' as attribute_name,
                    ['A', 'B', 'C'][outputs.split_test_index + 1] as attribute_value,
                    outputs.created_at as "timestamp"
                from {outputs} as outputs
                inner join (
                    select distinct subject_name, internal_customer_id
                    from read_parquet('{export}/subjects_*.parquet', union_by_name = true)
                ) as subjects using (subject_name)
                where outputs.split_test_index is not null
            ) to '{export}/attributes_v5_164000_241600000000319002.parquet' (format parquet)
            """
        )


def _register(seeds: Path) -> None:
    for name in ("experiments", "experiment_arms"):
        path = seeds / f"{name}.csv"
        with path.open(newline="", encoding="utf-8") as file:
            reader = csv.DictReader(file)
            names = list(reader.fieldnames or [])
            declared = list(reader)
        added = []
        for row in declared:
            if name == "experiments":
                # V19: no declared analysis, tuned to both arms of the contrast
                added.append({**row, "experiment_key": "spring_running", "planned_n": "42693"})
                row["analysis_at"] = datetime(2025, 3, 20).isoformat()
                added.append(
                    {**row, "experiment_key": "spring_branch", "assignment_source": "branch"}
                )
                added.append(
                    {
                        **row,
                        "experiment_key": "spring_attribute",
                        "assignment_source": "attribute",
                        "attribute_name": "cohort",
                    }
                )
            else:
                index = int(row["split_index"])
                added.append({**row, "experiment_key": "spring_running"})
                added.append(
                    {
                        **row,
                        "experiment_key": "spring_branch",
                        "split_action_id": "1200",
                        "split_index": str(index + 1),
                    }
                )
                added.append(
                    {
                        **row,
                        "experiment_key": "spring_attribute",
                        "split_action_id": "",
                        "split_index": "",
                        "attribute_value": "ABC"[index],
                    }
                )
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, names, lineterminator="\n")
            writer.writeheader()
            writer.writerows([*declared, *added])
