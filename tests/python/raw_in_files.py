"""Homes whose rows lie in files: begun so, or made of one whose rows lie in tables."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb

from pipelines.built.quoting import quoted
from pipelines.loading import FAMILIES, ensure_raw, rawfiles
from pipelines.loading.families import LOAD_ID
from pipelines.settings import Settings

MADE = "made"


def begun(home: Path) -> Settings:
    """A home without a row, of which the rows will lie in files, whatever engine loads them."""
    settings = Settings(_env_file=None)  # type: ignore[call-arg]
    ensure_raw(settings.model_copy(update={"home": home, "engine": "spark"}))
    return settings.model_copy(update={"home": home})


def moved_into_files(home: Path) -> None:
    """Move the rows of a home out of their tables, two files a table."""
    with duckdb.connect(str(home / "raw.duckdb")) as raw:
        files = []
        for family in FAMILIES:
            place = f"{quoted(family.dataset)}.{quoted(family.table)}"
            names = [name for (name,) in raw.execute(
                "select column_name from duckdb_columns() where schema_name = ? and table_name = ?"
                " and column_name <> ? order by column_index",
                [family.dataset, family.table, LOAD_ID],
            ).fetchall()]  # fmt: skip
            if not names:
                continue
            shown = ", ".join(map(quoted, names))
            for part in (0, 1):
                name = f"{family.table}/{LOAD_ID}={MADE}{part}/0.parquet"
                file = rawfiles.RawFile(
                    family.dataset, family.table, f"{MADE}{part}", name, tuple(names)
                )
                file.path(home).parent.mkdir(parents=True)
                raw.execute(
                    f"copy (select {shown} from {place} where rowid % 2 = {part})"
                    f" to '{file.path(home)}' (format parquet)"
                )
                files.append(file)
            raw.execute(f"drop table {place}")
        rawfiles.prepare(raw, FAMILIES, is_wanted=True)
        for file in files:
            rawfiles.add(raw, file, home)
        rawfiles.show(raw, home, FAMILIES)


def counted(home: Path) -> list[Path]:
    """The files that raw.duckdb knows."""
    with duckdb.connect(str(home / "raw.duckdb"), read_only=True) as raw:
        return sorted(
            file.path(home)
            for schema in {schema for schema, _ in rawfiles.views(raw)}
            for file in rawfiles.listed(raw, schema)
        )


def there(home: Path) -> list[Path]:
    """Every file below the folder of rows."""
    return sorted(path for path in (home / rawfiles.FOLDER).rglob("*") if path.is_file())


def values(path: Path) -> str:
    """All that a Parquet file holds, as lower-case text."""
    rows = duckdb.connect().execute("from read_parquet(?)", [str(path)]).fetchall()
    return json.dumps(rows, default=str).lower()
