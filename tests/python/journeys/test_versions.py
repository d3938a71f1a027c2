"""Two rows of one id, of one file and one number: which one counts does not hang on their order."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from parts import build_part

from pipelines.console import Console
from pipelines.loading import load
from pipelines.loading.sources.customerio import WAREHOUSE
from pipelines.settings import Settings

WORKSPACE = 7
NAMED = {
    "subjects": ("subject_name", "stg_customerio__subjects"),
    "outputs": ("output_id", "stg_customerio__outputs"),
    "deliveries": ("delivery_id", "stg_customerio__synced_deliveries"),
    "metrics": ("event_id", "stg_customerio__metrics"),
}
"""By family: the column of its id, and the model that takes one row of each."""

KEYS = {"workspace_id", "seq_num", "metric"}
VALUES: dict[str, tuple[Any, Any]] = {"bigint": (1, 2), "bool": (False, True)}
SHAPES = {"bigint": pa.int64(), "bool": pa.bool_()}
AT = datetime(2026, 1, 2)


def rows_of(columns: Mapping[str, str], named: str) -> list[dict[str, Any]]:
    """A pair of rows for each column, equal in all others."""
    usual = {
        name: AT if "time" in kind else VALUES.get(kind, ("a", "b"))[0]
        for name, kind in columns.items()
    } | {"workspace_id": WORKSPACE, "metric": "sent"}
    return [
        {name: usual[name] for name in columns} | {named: f"of_{column}", column: value}
        for column, kind in columns.items()
        if column not in KEYS | {named} and "time" not in kind
        for value in VALUES.get(kind, ("a", "b"))
    ]


def test_no_order_of_rows_decides_which_version_counts(settings: Settings, tmp_path: Path) -> None:
    told = []
    for turn in (1, -1):
        home = settings.model_copy(update={"home": tmp_path / f"home{turn}"})
        export = tmp_path / f"export{turn}"
        export.mkdir()
        for family in WAREHOUSE:
            if family.name not in NAMED:
                continue
            columns = dict(family.columns)
            rows = rows_of(columns, NAMED[family.name][0])[::turn]
            shapes = [
                (name, pa.timestamp("us") if "time" in kind else SHAPES.get(kind, pa.string()))
                for name, kind in columns.items()
            ]
            table = pa.Table.from_pylist(rows, schema=pa.schema(shapes))
            pq.write_table(table, export / f"{family.name}_v5_{WORKSPACE}_1.parquet")
        load([str(export)], home, Console(as_json=True))
        models = " ".join(f"+{model}" for _, model in NAMED.values())
        build_part(home, datetime(2026, 6, 1), models, is_tested=False)
        with duckdb.connect(str(home.warehouse_path), read_only=True) as db:
            told.append(
                {
                    model: db.execute(f"select * from staging.{model} order by all").fetchall()
                    for _, model in NAMED.values()
                }
            )
    assert all(told[0].values())
    assert told[0] == told[1]
