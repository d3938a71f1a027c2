"""Writes files into the export folder, under the vendor's names, and counts them."""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb

from pipelines.built.quoting import literal

FIRST_SEQUENCE = 241_600_000_000_300_000
FAMILIES = (
    "people",
    "people_chngs",
    "attributes",
    "campaigns",
    "campaign_actions",
    "broadcasts",
    "subjects",
    "outputs",
    "deliveries",
    "delivery_contents",
    "metrics",
    "objects",
)


class Export:
    """Writes files and counts them."""

    def __init__(self, work: duckdb.DuckDBPyConnection, folder: Path) -> None:
        self.work = work
        self.folder = folder
        self.count_files = 0
        self.count_rows = 0

    def parquet(self, name: str, query: str, *, even_empty: bool = False) -> Path | None:
        """Write the query's rows to `name`; without rows no file, as the vendor does it."""
        return self._write(name, query, "format parquet", even_empty=even_empty)

    def csv(self, name: str, query: str) -> Path | None:
        """Write the query's rows to `name` as gzipped CSV with a header."""
        return self._write(name, query, "format csv, header, compression gzip", even_empty=False)

    def json(self, name: str, query: str) -> Path | None:
        """Write the query's rows to `name` as gzipped JSON, one object a line."""
        return self._write(name, query, "format json, compression gzip", even_empty=False)

    def again(self, path: Path, name: str) -> None:
        """Leave the same bytes under another name."""
        shutil.copyfile(path, self.folder / name)
        source = literal(str(path))
        row = self.work.execute(f"select count(*) from read_parquet({source})").fetchone()
        self.count_files += 1
        self.count_rows += int(row[0]) if row else 0

    def _write(self, name: str, query: str, options: str, *, even_empty: bool) -> Path | None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        target = literal(str(path))
        row = self.work.execute(f"copy ({query}) to {target} ({options})").fetchone()
        rows = int(row[0]) if row else 0
        if rows == 0 and not even_empty:
            path.unlink()
            return None
        self.count_files += 1
        self.count_rows += rows
        return path


def file_name(family: str, workspace_id: int, batch: int, nth: int = 0) -> str:
    """The vendor's name for a file: family, schema version, workspace, 18-digit sequence."""
    sequence = FIRST_SEQUENCE + batch * 1_000 + FAMILIES.index(family) * 37 + nth
    prefix = "people_v5_chngs" if family == "people_chngs" else f"{family}_v5"
    return f"{prefix}_{workspace_id}_{sequence}.parquet"


def clock_type(batch: int) -> str:
    """The physical type of times in a batch: both kinds are in the wild."""
    return "timestamptz" if batch % 3 == 1 else "timestamp"


def number_type(batch: int) -> str:
    """The physical type of small ids in a batch."""
    return "integer" if batch % 4 == 2 else "bigint"
