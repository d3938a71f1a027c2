"""Rows of Parquet and Avro that lack a required value: loaded, told by their place, left out."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import fastavro
import pytest
from test_load import NOON, load, rows, write
from typer.testing import CliRunner

from cli import app
from pipelines.loading import FAMILIES
from pipelines.loading.families import WORDS, Family, Kind
from pipelines.loading.sources import customerio, heap_segments

TOLD = "select line_number, column_name, reason from loads.rejected_rows order by all"
SAMPLES: dict[Kind, list[Any]] = {
    "bigint": [1, 2, 3],
    "text": ["a", "b", "c"],
    "word": ["a", "b", "c"],
    "id": ["1", "2", "3"],
    "bool": [True, False, True],
    "timestamp": [NOON] * 3,
    "event_time": [NOON] * 3,
    "decimal": [Decimal("1.50")] * 3,
    "json": ["[]"] * 3,
}
TEXT = (
    customerio.WEBHOOKS,
    customerio.ACTIVITIES,
    customerio.NAMES,
    customerio.SNAPSHOTS,
    heap_segments.PAGES,
)
WHOLE = [family for family in FAMILIES if family not in TEXT and family.not_null]


@pytest.mark.parametrize("family", WHOLE, ids=lambda family: family.name)
def test_a_row_without_a_required_value_is_loaded_and_told(tmp_path: Path, family: Family) -> None:
    """In each family and each column, by its place, in Parquet as in what becomes Parquet."""
    name = {
        "behavior": "behavior_{}.parquet",
        "heap_users": "heap/users_{}.parquet",
        "heap_sessions": "heap/sessions_{}.parquet",
        "heap_user_migrations": "heap/user_migrations_{}.parquet",
        "heap_events": "heap/click_{}.parquet",
    }.get(family.name, f"{family.name}_v5_1_{{}}.parquet")
    groups = [(column,) for column in family.not_null] + list(family.not_null_any)
    expected = []
    for number, group in enumerate(groups):
        path = tmp_path / "export" / name.format(number)
        values: dict[str, Any] = {column: SAMPLES[kind] for column, kind in family.columns.items()}
        for column in group:
            is_text = family.columns[column] in WORDS
            values[column] = [values[column][0], None, " \u2029" if is_text else None]
        write(path, values)
        shown = " and ".join(f"`{column}`" for column in group)
        expected += [(path.name, line, group[0], f"the row lacks {shown}") for line in (2, 3)]
    tried = CliRunner().invoke(app, ["load", str(tmp_path / "export"), "--dry-run", "--json"])
    summary = load(tmp_path / "home", tmp_path / "export")
    assert (summary.quarantined, summary.rows) == ([], 3 * len(groups))
    [group] = json.loads(tried.stdout)["dry_run"]["groups"]
    assert group["set_aside"] == {name: count for name, count, _ in summary.rejected_rows}
    told = (
        "select file_name, line_number, column_name, reason from loads.rejected_rows order by 1, 2"
    )
    assert rows(tmp_path / "home", told) == sorted(expected)
    assert [count for _, count, _ in summary.rejected_rows] == [2] * len(groups)
    assert summary.rejected_rows[0][2].startswith("row 2 lacks ")
    assert summary.failure is not None


def test_a_dry_run_refuses_the_tables_that_a_load_would(tmp_path: Path) -> None:
    """Of a table no value is looked at before it is loaded; a dry run looks at each."""
    for number, ids in enumerate((["a", "b"], ["a\0", "b"], [True, None])):
        path = tmp_path / f"export/people_v5_1_{number}.parquet"
        write(path, {"internal_customer_id": ids, "updated_at": NOON})
    write(
        tmp_path / "export/people_v5_1_3.parquet",
        {"internal_customer_id": "a", "updated_at": NOON, "deleted": ["yes", "perhaps"]},
    )
    tried = CliRunner().invoke(app, ["load", str(tmp_path / "export"), "--dry-run", "--json"])
    assert tried.exit_code == 0, tried.output
    told = json.loads(tried.stdout)["dry_run"]
    summary = load(tmp_path / "home", tmp_path / "export")
    assert [(bad["file_name"], bad["reason"]) for bad in told["rejected"]] == summary.quarantined
    assert [group["files"] for group in told["groups"]] == [["people_v5_1_0.parquet"]]
    assert len(summary.quarantined) == 3


def test_a_row_that_is_told_leaves_with_its_file_and_avro_has_rows_too(tmp_path: Path) -> None:
    export, home = tmp_path / "export", tmp_path / "home"
    (export / "heap").mkdir(parents=True)
    schema = {
        "type": "record",
        "name": "users",
        "fields": [
            {"name": "user_id", "type": ["null", "long"]},
            {"name": "identity", "type": ["null", "string"]},
        ],
    }

    def written(*ids: int | None) -> None:
        with (export / "heap/users.avro").open("wb") as handle:
            fastavro.writer(handle, schema, [{"user_id": i, "identity": "SECRET"} for i in ids])

    written(1, None, 3, None)
    summary = load(home, export)
    assert summary.rejected_rows == [("users.avro", 2, "row 2 lacks `user_id`")]
    assert "SECRET" not in f"{summary}{rows(home, 'select * from loads.rejected_rows')}"
    assert load(home, export).rejected_rows == summary.rejected_rows
    written(1, 2, 3, 4)
    assert load(home, export).failure is None
    assert rows(home, TOLD) == []


def test_a_column_that_a_file_need_not_have_is_no_fault_of_its_rows(tmp_path: Path) -> None:
    write(tmp_path / "export/campaign_actions_v5_1_1.parquet", {"campaign_id": [1, 2]})
    assert load(tmp_path / "home", tmp_path / "export").failure is None
