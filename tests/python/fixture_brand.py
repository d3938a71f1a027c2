"""The fixture brand of `tests/scenarios/brand`, written as the export that it stands for.

Thirteen people whose every figure is known before anything is built; what must come out stands in
`tests/dbt/known_answers`, as tests of dbt that run where the var `known_answers` is true.
"""

from __future__ import annotations

import shutil
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from exports import SHAPES
from pyarrow import csv

TOLD = Path(__file__).resolve().parents[1] / "scenarios" / "brand"
AS_OF = datetime(2026, 6, 1)
WORKSPACE = 730

_TEXT, _INT, _TIME = pa.string(), pa.int64(), pa.timestamp("us")
HEAP_SHAPES = {
    "users": {
        "user_id": _INT,
        "identity": _TEXT,
        "email": _TEXT,
        "joindate": _TIME,
        "last_modified": _TIME,
    },
    "sessions": {
        "session_id": _INT,
        "user_id": _INT,
        "time": _TIME,
        "library": _TEXT,
        "platform": _TEXT,
    },
}


def write(folder: Path) -> tuple[Path, Path]:
    """Write `export/` and `seeds/` below the folder; returns both."""
    export, seeds = folder / "export", folder / "seeds"
    (export / "heap").mkdir(parents=True)
    for number, told in enumerate(sorted((TOLD / "export").glob("*.csv"))):
        if told.stem == "behavior":
            shutil.copy(told, export / told.name)
            continue
        name = f"{told.stem}_v5_{WORKSPACE}_{241600000000300000 + 100 * number}.parquet"
        pq.write_table(_read(told, SHAPES[told.stem]), export / name)
    for table, shape in HEAP_SHAPES.items():
        pq.write_table(
            _read(TOLD / "export" / "heap" / f"{table}.csv", shape),
            export / "heap" / f"{table}.parquet",
        )
    shutil.copytree(TOLD / "seeds", seeds)
    return export, seeds


def _read(told: Path, shape: dict[str, pa.DataType]) -> pa.Table:
    options = csv.ConvertOptions(
        column_types=shape, strings_can_be_null=True, include_missing_columns=True,
        include_columns=list(shape),
    )  # fmt: skip
    return csv.read_csv(told, convert_options=options)
