"""The Hillstrom test in other holdout encodings, added to one export, gives one answer.

The export draws by A/B split with a trapped control. Beside it stand the same draws as a random
cohort branch and as a cohort attribute, each as an experiment of its own over the same people.
"""

from __future__ import annotations

import csv
import shutil
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipelines import registries
from pipelines.console import Console
from pipelines.customerio import load
from pipelines.settings import Settings
from pipelines.warehouse import invoke

pytestmark = pytest.mark.xdist_group("hillstrom_encodings")

SELECTED = ["+fct_lift"]


@pytest.fixture(scope="module")
def rows(
    shared_data: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[list[dict[str, Any]]]:
    folder = tmp_path_factory.mktemp("hillstrom_encodings")
    export, seeds = folder / "export", folder / "seeds"
    shutil.copytree(shared_data / "hillstrom" / "export", export)
    shutil.copytree(shared_data / "hillstrom" / "seeds", seeds)
    _encode(export)
    _register(seeds)
    settings = Settings(_env_file=None).model_copy(  # type: ignore[call-arg]
        update={"home": folder / "home"}
    )
    assert load([str(export)], settings, Console(as_json=True)).failure is None
    invoke(
        settings,
        registries.compose(settings, seeds),
        ["build", "--vars", '{"as_of": "2025-04-01 00:00:00"}', "--select", *SELECTED,
         "--exclude", "resource_type:test"],
    )  # fmt: skip
    with duckdb.connect(str(settings.warehouse_path), read_only=True) as connection:
        answer = connection.execute(
            "select * from marts.fct_lift where stratum = 'all' "
            "order by experiment_key, population, metric_key, arm"
        )
        names = [column[0] for column in answer.description or []]
        yield [dict(zip(names, row, strict=True)) for row in answer.fetchall()]


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
