"""The fixture brand, from export to last mart: dbt's own tests say whether its answers hold."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import duckdb
import fixture_brand
import pytest

from pipelines import registries
from pipelines.console import Console
from pipelines.errors import CounterfoilError
from pipelines.loading import load
from pipelines.settings import PROJECT_DIR, Settings
from pipelines.warehouse import invoke

VARS = json.dumps({"as_of": str(fixture_brand.AS_OF), "known_answers": True})
ANSWERS = {path.stem for path in (PROJECT_DIR / "tests/dbt/known_answers").glob("assert_*.sql")}
READ = (
    "dim_person_states", "fct_audience_members", "fct_checkout_funnel", "fct_experiment_units",
    "fct_goal_conversions", "fct_journey_entries", "fct_lift", "fct_message_exposures",
    "fct_segment_memberships", "heap_cio_message_sent", "heap_refusals", "heap_user_properties",
)  # fmt: skip
"""What the answers are asked of, beside `dim_persons`, which they all go through."""
ASKED = {"fct_experiment_units": "metric_key = 'order_value'", "fct_lift": "stratum = 'all'"}
"""Of relations with more rows than the answers ask for: those that they do."""
SELECTED = ("--select", "path:tests/dbt/known_answers")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> tuple[Settings, Path]:
    """The brand loaded and built once, without tests."""
    folder = tmp_path_factory.mktemp("fixture_brand")
    settings = Settings(_env_file=None).model_copy(  # type: ignore[call-arg]
        update={"home": folder / "home"}
    )
    export, seeds = fixture_brand.write(folder)
    summary = load([str(export)], settings, Console(as_json=True))
    assert not summary.quarantined
    assert not summary.rejected_rows
    composed = registries.compose(settings, seeds)
    without_tests = ("--exclude-resource-type", "test", "--exclude-resource-type", "unit_test")
    read = ("--select", f"+{SELECTED[1]}")
    invoke(settings, composed, ["build", "--vars", VARS, *read, *without_tests])
    return settings, composed


def fates(home: tuple[Settings, Path]) -> dict[str, str]:
    """What became of each test of the known answers."""
    became: dict[str, str] = {}

    def heard(event: Any) -> None:
        if event.info.name == "NodeFinished":
            became[event.data.node_info.node_name] = event.data.node_info.node_status

    settings, seeds = home
    with suppress(CounterfoilError):  # that some failed is what `became` says
        invoke(settings, seeds, ["test", "--vars", VARS, *SELECTED], on_event=heard)
    return {name: fate for name, fate in became.items() if name.startswith("assert_")}


def test_the_answers_of_the_fixture_brand_are_those_known(home: tuple[Settings, Path]) -> None:
    assert fates(home) == dict.fromkeys(ANSWERS, "pass")


def test_each_answer_notices_one_row_that_is_missing(home: tuple[Settings, Path]) -> None:
    settings, _ = home
    with duckdb.connect(str(settings.warehouse_path)) as connection:
        schemas = dict(
            connection.execute("select table_name, schema_name from duckdb_tables()").fetchall()
        )
        for name in READ:
            relation = f"{schemas[name]}.{name}"
            read = ASKED.get(name, "true")
            connection.execute(
                f"delete from {relation} where rowid = "
                f"(select min(rowid) from {relation} where {read})"
            )
        connection.execute(
            f"update {schemas['dim_persons']}.dim_persons set match_status = 'unverified' "
            "where customer_id = 'fern-ada'"
        )
    assert fates(home) == dict.fromkeys(ANSWERS, "fail")
