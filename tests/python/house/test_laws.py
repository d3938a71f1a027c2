"""When a test of dbt fails, the build says which law, in how many rows, and shows three of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb
import pytest
from segment_world import copy_project

from pipelines.errors import CounterfoilError
from pipelines.laws import broken_law
from pipelines.settings import Settings
from pipelines.warehouse import invoke

BROKEN = """
select
    '208301-17' as person_id, 'ann@example.com' as email, '01HV' as delivery_id,
    'said ann@example.com' as remark, 4711 as node_id, 'ghost' as exposure_kind,
    metric_key, 3 as count_deliveries, timestamp '2026-05-04 10:00:00' as sent_at
from {{ ref("metrics") }}
cross join range(4) as twice(number)
where number < 4
"""
DESCRIBED = """
data_tests:
  - name: assert_nothing
    description: >-
      A ghost is never called sent,
      whatever happens.
"""


def test_a_failing_law_is_told_with_three_rows_and_nobody_in_them(
    tmp_path: Path, settings: Settings
) -> None:
    project = copy_project(tmp_path)
    (project / "tests/dbt/assert_nothing.sql").write_text(BROKEN)
    (project / "tests/dbt/_nothing.yml").write_text(DESCRIBED)
    settings.home.mkdir()
    duckdb.connect(str(settings.raw_path)).close()
    with duckdb.connect(str(settings.warehouse_path)) as last:  # what is shown is not of this one
        last.execute("create schema registries")
        last.execute(
            "create table registries.metrics as "
            "select * replace ('of_before' as metric_key) from read_csv($1, all_varchar = true)",
            [str(project / "seeds/metrics.csv")],
        )
    registry = project / "seeds/metrics.csv"
    registry.write_text("\n".join(registry.read_text().splitlines()[:2]) + "\n")
    with pytest.raises(CounterfoilError) as caught:
        invoke(settings, project / "seeds", ["build", "--select", "metrics"], project=project)
    row = "exposure_kind ghost, metric_key order_rate, count_deliveries 3, "
    assert str(caught.value) == (
        "The build failed at test `assert_nothing`: A ghost is never called sent, whatever "
        f"happens: 4 rows break it, such as {row}sent_at 2026-05-04 10:00:00."
    )


@pytest.fixture
def told(make_settings: Callable[..., Settings]) -> Callable[..., str]:
    """What is said of a failed test: its SQL, and what dbt knows of it."""
    settings = make_settings()
    settings.home.mkdir()
    duckdb.connect(str(settings.warehouse_path)).close()

    def tell(sql: str | None, failures: int = 2, **node: Any) -> str:
        known = {"name": "a_test", "description": "", "test_metadata": None, "column_name": None}
        result = SimpleNamespace(
            failures=failures, node=SimpleNamespace(**known | {"compiled_code": sql} | node)
        )
        return broken_law(settings.warehouse_path, result)

    return tell


GENERIC = {
    "test_metadata": SimpleNamespace(name="not_null", kwargs={"column_name": "arm"}),
    "attached_node": "model.counterfoil.fct_lift",
    "column_name": "arm",
}  # fmt: skip


@pytest.mark.parametrize(
    ("sql", "node", "sentence"),
    [
        ("select 1 as count_a from range(2)", {}, "a_test: 2 rows break it, such as count_a 1."),
        (
            "select range as count_a, null as arm from range(5)",
            {"description": "One in one.", "failures": 5},
            "One in one: 5 rows break it, such as "
            "count_a 0, arm null; count_a 1, arm null; count_a 2, arm null.",
        ),
        ("select 'x' as arm", {**GENERIC, "failures": 1},
         "not_null of fct_lift (column_name arm): 1 row breaks it, such as arm x."),
        ("select 'x' as value_field, 3 as n_records", GENERIC,
         "not_null of fct_lift (column_name arm): 2 rows break it, such as "
         "value_field x, n_records 3."),
        ("select 'x' as value_field", {**GENERIC, "column_name": "email"},
         "not_null of fct_lift (column_name arm): 2 rows break it."),
        ("select 'x' as person_id, 'y' as cio_id, 'z' as written_by_nobody", {},
         "a_test: 2 rows break it."),
        ("select * from gone", {}, "a_test: 2 rows break it."),
        (None, {}, "a_test: 2 rows break it."),
    ],
)  # fmt: skip
def test_what_is_told(
    told: Callable[..., str], sql: str | None, node: dict[str, Any], sentence: str
) -> None:
    assert told(sql, **node) == sentence
