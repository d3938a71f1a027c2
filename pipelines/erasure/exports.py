"""Export files without a person, on request only: they are not ours, and a load keeps them out.

Whose a row is, is asked as it is of raw.duckdb. A file is replaced in one step, once its successor
is whole and on disk, and raw.duckdb is told that it knows the successor.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import IO, Any, cast

import duckdb

from pipelines.blanks import BLANKS
from pipelines.built.quoting import literal, quoted
from pipelines.erasure.cleaning import Cleaner
from pipelines.erasure.columns import Table
from pipelines.erasure.databases import by_value
from pipelines.erasure.elements import each_text, elements_of
from pipelines.erasure.filelines import in_cell, records
from pipelines.erasure.journal import Journal
from pipelines.erasure.person import Person
from pipelines.erasure.traces import ERASED, Mentions
from pipelines.errors import CounterfoilError, UsageError
from pipelines.loading.families import FileName
from pipelines.loading.raw import datasets
from pipelines.loading.readers.lines import objects
from pipelines.loading.readers.packed import UNSOUND, begins_as_gzip
from pipelines.loading.sources import FAMILIES, recognise
from pipelines.paths import plain_paths
from pipelines.settings import Settings

LINES_AT_ONCE = 20_000
PARTIAL = ".erasing"
ROW = "_row"


def require_folders(folders: Sequence[Path]) -> list[Path]:
    """The folders of exports that may be rewritten.

    Raises:
        UsageError: one of them is none.
    """
    for folder in folders:
        if not folder.is_dir():
            raise UsageError(f"There is no folder {folder}: --exports takes one of this machine.")
    return [folder.resolve() for folder in folders]


def files_below(folder: Path) -> Iterator[Path]:
    """Every file below a folder, in order; nothing behind a link."""
    for parent, folders, names in os.walk(folder):
        folders.sort()
        yield from (
            path for name in sorted(names) if (path := Path(parent, name)).is_file()
            and not path.is_symlink()
        )  # fmt: skip


def rewrite_exports(settings: Settings, folders: Sequence[Path], work: Journal) -> None:
    """Take a person out of every file below the folders that a load would read.

    Raises:
        CounterfoilError: one of them cannot be read or written; those before it are done.
    """
    for path in (path for folder in folders for path in files_below(folder)):
        if path.name.endswith(PARTIAL):
            path.unlink()
            continue
        kind = recognise(PurePosixPath(path.as_posix()))
        if kind is None:
            continue
        try:
            before = _hash(path)
            if _rewrite(settings, path, kind, work.person):
                work.files_rewritten["exports"] = work.files_rewritten.get("exports", 0) + 1
                _tell_raw(settings, before, path)
        except (*UNSOUND, ValueError, duckdb.Error) as error:
            raise CounterfoilError(
                f"A file in {path.parent} cannot be rewritten ({_said(error)}): mend it, or move "
                "it out of the folder, then run `counterfoil erase` again."
            ) from error
        finally:
            path.with_name(path.name + PARTIAL).unlink(missing_ok=True)


def _said(error: Exception) -> str:
    return getattr(error, "strerror", None) or type(error).__name__


def _rewrite(settings: Settings, path: Path, kind: FileName, person: Person) -> bool:
    """Replace one file; whether anything in it changed."""
    partial = path.with_name(path.name + PARTIAL)
    with duckdb.connect() as db:
        db.execute(f"set memory_limit = {literal(settings.memory_limit)}")
        db.execute(f"create schema {quoted(kind.family.dataset)}")
        with by_value(db, "exports", person, settings) as (cleaner, _):
            write = {"parquet": _parquet, "avro": _avro, "csv": _csv, "jsonl": _jsonl}[kind.reader]
            if not write(_Task(db, cleaner, kind, person.mentions()), path, partial):
                return False
    with partial.open("rb") as written:
        os.fsync(written.fileno())
    partial.chmod(path.stat().st_mode & 0o777)
    partial.replace(path)
    return True


class _Task:
    """What one file is judged by."""

    def __init__(
        self, db: duckdb.DuckDBPyConnection, cleaner: Cleaner, kind: FileName, mentions: Mentions
    ) -> None:
        self.db = db
        self.cleaner = cleaner
        self.mentions = mentions
        self.workspace = kind.workspace_id
        self.place = f"{quoted(kind.family.dataset)}.{quoted(kind.family.table)}"
        self.family = kind.family

    def table(self) -> Table:
        """The file's rows as they are in the scratch database now."""
        described = self.db.execute(f"describe {self.place}").fetchall()
        columns = {name: data_type for name, data_type, *_ in described if name != ROW}
        return Table(self.family.dataset, self.family.table, columns)

    def make(self, source: str, names: Sequence[str]) -> None:
        """Make the rows; the name of the file gives the workspace that they lack."""
        lacks = self.workspace is not None and "workspace_id" not in names
        more = f", {self.workspace} as workspace_id" if lacks else ""
        self.db.execute(f"create or replace table {self.place} as select *{more} from {source}")

    def without_elements(self, lines: list[str]) -> list[str]:
        """Lines of JSON without the elements of the person; other lines byte for byte."""
        lists = [
            f"{column}.{name}"
            for column, names in elements_of(self.family).items()
            for name in names
        ]
        if not lists:
            return lines
        self.make("(select null::varchar as _)", ["_"])
        told = each_text(enumerate(lines), lists, partial(self.cleaner.theirs, self.table()))
        for place, kept in told:
            end = lines[place][len(lines[place].rstrip("\r\n")) :]
            lines[place] = kept + end
        return lines

    def theirs(self, rows: Sequence[dict[str, str | None]]) -> set[int]:
        """Which of these rows, by their place, are the person's."""
        import pyarrow as pa

        names = sorted({name for row in rows for name in row})
        held = pa.table(
            {
                ROW: pa.array(range(len(rows)), pa.int64()),
                **{name: pa.array([row.get(name) for row in rows], pa.string()) for name in names},
            }
        )
        self.db.register("held", held)
        self.make("held", names)
        self.db.unregister("held")
        test = self.cleaner.is_theirs(self.table())
        if not test:
            return set()
        found = self.db.execute(f"select {ROW} from {self.place} where {test}").fetchall()
        return {row for (row,) in found}


def _parquet(task: _Task, path: Path, partial: Path) -> bool:
    with plain_paths() as plain:
        source = f"read_parquet({literal(str(plain(path)))})"
        names = [name for name, *_ in task.db.execute(f"describe from {source}").fetchall()]
        task.make(source, names)
        removed, changed = task.cleaner.clean(task.table())
        if not removed and not changed:
            return False
        kept = ", ".join(quoted(name) for name in names)
        target = literal(str(plain(partial.parent) / partial.name))
        task.db.execute(
            f"copy (select {kept} from {task.place} order by rowid) to {target} "
            "(format parquet, compression zstd)"
        )
    return True


def _avro(task: _Task, path: Path, partial: Path) -> bool:
    import fastavro

    with path.open("rb") as handle:
        reader = fastavro.reader(handle)
        schema, codec = reader.writer_schema, reader.codec
        kept: list[Any] = []
        is_same = True
        while chunk := list(islice(reader, LINES_AT_ONCE)):
            rows = cast(list[dict[str, Any]], chunk)
            texts = [{name: _text(value) for name, value in row.items()} for row in rows]
            theirs = task.theirs(texts)
            for place, row in enumerate(rows):
                if place in theirs:
                    is_same = False
                    continue
                without = {name: _without(task.mentions, value) for name, value in row.items()}
                is_same = is_same and without == row
                kept.append(without)
    if is_same or schema is None:
        return False
    with partial.open("wb") as out:
        fastavro.writer(out, schema, kept, codec=codec)
    return True


def _without(mentions: Mentions, value: Any) -> Any:
    kept = mentions.without(value)
    return ERASED if kept is None and value is not None else kept


def _csv(task: _Task, path: Path, partial: Path) -> bool:
    with _unpacked(path, partial) as (content, out):
        lines = records(content)
        header = next(lines, b"")
        out.write(header)
        text = header.decode("utf-8-sig", "surrogateescape")
        delimiter = ";" if text.count(";") > text.count(",") else ","
        names = [name.strip() for name in next(csv.reader([text], delimiter=delimiter), [])]
        is_same = True
        while chunk := list(islice(lines, LINES_AT_ONCE)):
            cells = [_cells(record, delimiter) for record in chunk]
            rows: list[dict[str, str | None]] = [
                {n: _utf8(c) for n, c in zip(names, row, strict=False) if n} for row in cells
            ]
            theirs = task.theirs(rows)
            for place, (record, row) in enumerate(zip(chunk, cells, strict=True)):
                if place in theirs:
                    is_same = False
                    continue
                kept = [in_cell(task.mentions, cell) for cell in row]
                if kept != row:
                    is_same = False
                    record = _record(record, kept, delimiter)  # noqa: PLW2901
                out.write(record)
    return not is_same


def _cells(record: bytes, delimiter: str) -> list[str]:
    text = record.decode("utf-8", "surrogateescape")
    return next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), [])


def _record(before: bytes, cells: Sequence[str], delimiter: str) -> bytes:
    out = io.StringIO(newline="")
    end = before[len(before.rstrip(b"\r\n")) :].decode()
    csv.writer(out, delimiter=delimiter, lineterminator=end).writerow(cells)
    return out.getvalue().encode("utf-8", "surrogateescape")


def _jsonl(task: _Task, path: Path, partial: Path) -> bool:
    is_same = True
    with _unpacked(path, partial) as (content, out):
        while chunk := list(islice(content, LINES_AT_ONCE)):
            lines = task.without_elements(
                [line.decode("utf-8", "surrogateescape") for line in chunk]
            )
            is_same = is_same and all(
                line.encode("utf-8", "surrogateescape") == before
                for line, before in zip(lines, chunk, strict=True)
            )
            pieces = [
                (place, piece)
                for place, line in enumerate(lines)
                for piece in objects(line.rstrip("\r\n"))
            ]
            theirs = task.theirs([_row(piece) for _, piece in pieces])
            kept: dict[int, list[str]] = {}
            for number, (place, piece) in enumerate(pieces):
                if number not in theirs:
                    said = task.mentions.without(piece)
                    kept.setdefault(place, []).append(
                        json.dumps(ERASED) if said is None else str(said)
                    )
            lost = {pieces[number][0] for number in theirs}
            for place, line in enumerate(lines):
                body = line.rstrip("\r\n")
                without = "".join(kept.get(place, []))
                is_same = is_same and without == body
                if place not in lost or without.strip(BLANKS):
                    out.write((without + line[len(body) :]).encode("utf-8", "surrogateescape"))
    return not is_same


def _row(piece: str) -> dict[str, str | None]:
    try:
        found = json.loads(piece)
    except (ValueError, RecursionError):
        return {}
    if not isinstance(found, dict):
        return {}
    return {_utf8(name): _text(value) for name, value in found.items() if name != ROW}


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return None if value is None else _utf8(value)
    return json.dumps(value, default=str)


def _utf8(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")


@contextmanager
def _unpacked(path: Path, partial: Path) -> Iterator[tuple[IO[bytes], IO[bytes]]]:
    """A file of text as a load reads it, and its successor: packed if the file is."""
    opened = cast(
        Callable[[Path, str], IO[bytes]], gzip.open if begins_as_gzip(path) else Path.open
    )
    with opened(path, "rb") as content, opened(partial, "wb") as out:
        yield content, out


def _hash(path: Path) -> str:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def _tell_raw(settings: Settings, before: str, path: Path) -> None:
    """The next load knows the file as it is now: what is left of it was loaded before."""
    if not settings.raw_path.exists():
        return
    with duckdb.connect(str(settings.raw_path)) as raw:
        held = {schema for (schema,) in raw.execute(
            "select schema_name from duckdb_tables() where table_name = 'loaded_files'"
        ).fetchall()}  # fmt: skip
        for dataset in held & set(datasets(FAMILIES)):
            raw.execute(
                f"update {quoted(dataset)}.loaded_files set content_hash = ?, size_bytes = ? "
                "where content_hash = ? and file_name = ?",
                [_hash(path), path.stat().st_size, before, path.name],
            )
