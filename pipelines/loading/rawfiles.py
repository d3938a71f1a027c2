"""What was loaded, beyond one database: the rows of families in Parquet files, each load's apart.

Such a home has a list of files, `raw_files`, in each dataset of raw.duckdb, and there every family
is a view over the files that are listed. A file is written first and listed after, in the
transaction that says what was loaded or erased: so only what was finished counts, and a file that
is not listed was left by a stop, and goes.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any
from uuid import uuid4

import duckdb

from pipelines.built.quoting import literal, quoted
from pipelines.errors import CounterfoilError
from pipelines.home import to_disk
from pipelines.loading.families import DDL, LOAD_ID, Family, columns
from pipelines.opening import readable
from pipelines.plural import counted

Connection = Any

FOLDER = "raw"
LAYOUT = f"{{table_name}}/{LOAD_ID}={{load_id}}/{{file_id}}.{{ext}}"
"""Where dlt puts a file, below the folder of its dataset."""
RAW_FILES = Family(
    name="raw_files",
    dataset="",
    table="raw_files",
    declared=(
        *columns("text", "none", "table_name"),
        *columns("text", "file", "file_name"),
        *columns("text", "none", "column_names"),
        *columns("bigint", "none", "count_rows"),
    ),
)
_OURS = re.compile(rf"(?P<dataset>\w+)/(?P<name>(?P<table>\w+)/{LOAD_ID}=[^/]+/[^/]+\.parquet)")


@dataclass(frozen=True)
class RawFile:
    """A file that counts: its dataset, table and load, its name below the dataset, its columns."""

    dataset: str
    table: str
    load_id: str
    name: str
    columns: tuple[str, ...]

    def path(self, home: Path) -> Path:
        """Where it lies."""
        return home.absolute() / FOLDER / self.dataset / self.name


def is_used(connection: Connection) -> bool:
    """Whether the rows of this raw.duckdb lie in files."""
    return bool(_datasets(connection))


def prepare(connection: Connection, families: Sequence[Family], *, is_wanted: bool) -> None:
    """Make the lists where rows lie in files; where they shall, if no table holds a row yet."""
    tables = {
        (family.dataset, family.table): f"{quoted(family.dataset)}.{quoted(family.table)}"
        for family in families
    }
    there = connection.execute(
        "select schema_name, table_name from duckdb_tables()"
        " where database_name = current_database()"
    ).fetchall()
    empty = [place for key, place in tables.items() if key in there]
    if not is_used(connection):
        is_any = "select 1 from {} limit 1"
        has_rows = any(connection.execute(is_any.format(place)).fetchall() for place in empty)
        if has_rows or not is_wanted:
            return
    body = ", ".join(f"{name} {DDL[kind]}" for name, kind in RAW_FILES.columns.items())
    connection.execute("begin")
    for dataset in sorted({family.dataset for family in families}):
        connection.execute(f"create schema if not exists {quoted(dataset)}")
        connection.execute(
            f"create table if not exists {quoted(dataset)}.{RAW_FILES.table}"
            f" ({body}, {LOAD_ID} varchar)"
        )
    for place in empty:
        connection.execute(f"drop table {place}")
    connection.execute("commit")


def views(connection: Connection) -> set[tuple[str, str]]:
    """Schema and name of every view over files that are listed."""
    datasets = _datasets(connection)
    return {
        (schema, name)
        for schema, name in connection.execute(
            "select schema_name, view_name from duckdb_views()"
            " where database_name = current_database() and not internal"
        ).fetchall()
        if schema in datasets
    }


def listed(connection: Connection, dataset: str, table: str | None = None) -> list[RawFile]:
    """The files of a dataset that count, or those of one of its tables, in a fixed order."""
    return [
        RawFile(dataset, of, load_id, name, tuple(json.loads(names)))
        for of, load_id, name, names in connection.execute(
            f"select table_name, {LOAD_ID}, file_name, column_names"
            f" from {quoted(dataset)}.{RAW_FILES.table}"
            " where $1 is null or table_name = $1 order by all",
            [table],
        ).fetchall()
    ]


def count_rows(connection: Connection, dataset: str, table: str) -> int:
    """The rows that the files of a table that count were listed with."""
    [(count,)] = connection.execute(
        f"select coalesce(sum(count_rows), 0) from {quoted(dataset)}.{RAW_FILES.table}"
        " where table_name = $1",
        [table],
    ).fetchall()
    return int(count)


def add(connection: Connection, file: RawFile, home: Path) -> None:
    """List a file that is whole and on disk; the caller's transaction makes it count."""
    path = literal(_pattern(file.path(home)))
    [(rows,)] = connection.execute(
        f"select sum(num_rows) from parquet_file_metadata({path})"
    ).fetchall()
    connection.execute(
        f"insert into {quoted(file.dataset)}.{RAW_FILES.table} values (?, ?, ?, ?, ?)",
        [file.table, file.name, json.dumps(file.columns), rows, file.load_id],
    )


def bring(made: Path, home: Path, dataset: str, load_id: str) -> None:
    """Move the files of a load from the folder where dlt laid them out to where rows lie."""
    for path in sorted(made.glob(f"*/{LOAD_ID}={load_id}/*.parquet")):
        target = home / FOLDER / dataset / path.relative_to(made)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(path, target)


def written(home: Path, dataset: str, load_id: str) -> list[tuple[str, str]]:
    """Table and name of each file that a load has written, on disk before this returns."""
    base = home / FOLDER / dataset
    found = sorted(base.glob(f"*/{LOAD_ID}={load_id}/*.parquet"))
    for path in found:
        to_disk(path)
    for folder in {parent for path in found for parent in path.parents if home in parent.parents}:
        to_disk(folder)
    return [(path.parent.parent.name, path.relative_to(base).as_posix()) for path in found]


def put_in_place(connection: Connection, file: RawFile, home: Path, relation: str) -> None:
    """Let `relation` be what a file held from now on; nothing where there is no row in it."""
    name = str(PurePosixPath(file.name).with_name(f"{uuid4().hex}.parquet"))
    other = replace(file, name=name)
    if connection.execute(f"select 1 from {relation} limit 1").fetchall():
        names = ", ".join(map(quoted, file.columns))
        target = other.path(home)
        connection.execute(
            f"copy (select {names} from {relation}) to {literal(str(target))} (format parquet)"
        )
        to_disk(target)
        to_disk(target.parent)
        add(connection, other, home)
    connection.execute(
        f"delete from {quoted(file.dataset)}.{RAW_FILES.table} where file_name = ?", [file.name]
    )


def show(connection: Connection, home: Path, families: Sequence[Family]) -> None:
    """Make the views of families over the files that are listed now.

    Raises:
        CounterfoilError: a file that is listed is not there.
    """
    _require_there(connection, home)
    for dataset in sorted({family.dataset for family in families}):
        files = listed(connection, dataset)
        for family in families:
            if family.dataset == dataset:
                theirs = [file for file in files if file.table == family.table]
                connection.execute(
                    f"create or replace view {quoted(dataset)}.{quoted(family.table)} as"
                    f" {rows_of(family, theirs, home)}"
                )


def rows_of(family: Family, files: Sequence[RawFile], home: Path, names: Sequence[str] = ()) -> str:
    """SQL for the rows of files, with every column of their family; null where a file lacks it.

    Args:
        names: columns besides those of the family; else those that one of the files has.
    """
    known = {**family.columns, **family.marks}
    others = {*names, *(name for file in files for name in file.columns)} - known.keys()
    kinds = {name: DDL[kind] for name, kind in known.items()}
    kinds |= dict.fromkeys(sorted(others - {LOAD_ID}), "varchar")
    alike: dict[tuple[str, ...], list[RawFile]] = {}
    for file in files:
        alike.setdefault(file.columns, []).append(file)
    load_id = f"split_part(split_part({LOAD_ID}, '{LOAD_ID}=', -1), '/', 1) as {LOAD_ID}"
    parts = []
    for here, some in alike.items():
        shown = ", ".join(
            f"cast({quoted(name) if name in here else 'null'} as {kind}) as {quoted(name)}"
            for name, kind in kinds.items()
        )
        paths = ", ".join(literal(_pattern(file.path(home))) for file in some)
        # the folders say which load it was, and their names must not be taken for columns
        parts.append(
            f"select {shown}, {load_id} from read_parquet([{paths}],"
            f" hive_partitioning = false, filename = '{LOAD_ID}')"
        )
    if not parts:
        nothing = ", ".join(f"cast(null as {kind}) as {quoted(n)}" for n, kind in kinds.items())
        return f"select {nothing}, cast(null as varchar) as {LOAD_ID} where false"
    return " union all ".join(parts)


def require_list(raw: Path, home: Path) -> None:
    """Make sure that rows in files have the list that says which of them count, and lie there.

    Raises:
        CounterfoilError: there are such files, and no raw.duckdb: none would count. Or a link lies
            among them: what it leads to would not go when its rows do.
    """
    base = home.absolute() / FOLDER
    for folder, folders, names in os.walk(base):
        for path in (Path(folder) / name for name in (*folders, *names)):
            if path.is_symlink():
                raise CounterfoilError(
                    f"{path} is a link, and an erasure would not reach what it leads to: put the"
                    f" files there themselves. {base} itself may be a link."
                )
    if not raw.exists() and (count := sum(1 for _ in _files(home))):
        raise CounterfoilError(
            f"{home / FOLDER} holds {counted(count, 'file')} of rows, and raw.duckdb, which lists"
            " those that count, is not there: bring it back, or move that folder away and load"
            " again, both are rebuilt from the exports."
        )


def require_whole(raw: Path, home: Path, families: Sequence[Family]) -> None:
    """Make sure that rows in files have their list, and that it is of the files that are there.

    The views are made anew: those of a home that was moved show what lay where it was.

    Raises:
        CounterfoilError: they have not, one is missing or another, or raw.duckdb cannot be read.
    """
    require_list(raw, home)
    if raw.exists():
        with readable(raw), duckdb.connect(str(raw)) as connection:
            if is_used(connection):
                require_files(connection, home)
                show(connection, home, families)


def drop_unlisted(connection: Connection, home: Path) -> None:
    """Remove what lies there and does not count: remains of a stop, and what an erasure replaced.

    Args:
        connection: open on raw.duckdb.
    """
    for path in unlisted(connection, home):
        path.unlink(missing_ok=True)
        for folder in (path.parent, path.parent.parent):
            if not any(folder.iterdir()):
                folder.rmdir()


def unlisted(connection: Connection, home: Path) -> list[Path]:
    """Files of ours that do not count."""
    counts = {file.path(home) for file in _all_listed(connection)}
    return [path for path in _files(home) if path not in counts]


def is_ours(place: PurePosixPath) -> bool:
    """Whether a place below the home is where such a file lies."""
    top, _, rest = str(place).partition("/")
    return top == FOLDER and _OURS.fullmatch(rest) is not None


def _files(home: Path) -> Iterator[Path]:
    base = home.absolute() / FOLDER
    for folder, _, names in os.walk(base):
        for name in names:
            path = Path(folder) / name
            if _OURS.fullmatch(path.relative_to(base).as_posix()):
                yield path


def require_files(connection: Connection, home: Path) -> None:
    """Make sure that every listed file is there, and is what was listed, by what it says of itself.

    Raises:
        CounterfoilError: one is missing, damaged, or has other rows or columns.
    """
    _require_there(connection, home)
    for dataset in _datasets(connection):
        for name, rows, names in connection.execute(
            "select file_name, count_rows, column_names"
            f" from {quoted(dataset)}.{RAW_FILES.table} order by all"
        ).fetchall():
            path = home / FOLDER / dataset / name
            if _told(connection, path) != (rows, {*json.loads(names)}):
                raise CounterfoilError(
                    f"{path} is not the file that raw.duckdb lists (damaged, or another): bring it"
                    " back from a back-up, or move raw.duckdb and that folder away and load again,"
                    " both are rebuilt from the exports."
                )


def _told(connection: Connection, path: Path) -> tuple[int, set[str]] | None:
    """The rows and columns that a Parquet file says it has; None where it cannot be read."""
    pattern = literal(_pattern(path))
    try:
        [(rows,)] = connection.execute(
            f"select num_rows from parquet_file_metadata({pattern})"
        ).fetchall()
        found = connection.execute(
            f"describe select * from read_parquet({pattern}, hive_partitioning = false)"
        ).fetchall()
    except duckdb.Error:
        return None
    return rows, {column[0] for column in found}


def _require_there(connection: Connection, home: Path) -> None:
    lost = sum(not file.path(home).is_file() for file in _all_listed(connection))
    if lost:
        raise CounterfoilError(
            f"{counted(lost, 'file')} of {home / FOLDER} that raw.duckdb lists"
            f" {'is' if lost == 1 else 'are'} not there: bring what is missing back, or move"
            " raw.duckdb and that folder away and load again, both are rebuilt from the exports."
        )


def _all_listed(connection: Connection) -> Iterator[RawFile]:
    """The files that count, of every dataset."""
    for dataset in _datasets(connection):
        yield from listed(connection, dataset)


def _datasets(connection: Connection) -> list[str]:
    return [
        schema
        for (schema,) in connection.execute(
            "select schema_name from duckdb_tables() where database_name = current_database()"
            " and table_name = ? order by all",
            [RAW_FILES.table],
        ).fetchall()
    ]


def _pattern(path: Path) -> str:
    """A path as DuckDB reads it: a sign that stands for others stands for itself in brackets."""
    return re.sub(r"[*\[]", r"[\g<0>]", str(path))
