"""New files in batches, and the reasons why others cannot be read.

Footers and headers are read for all files at once; a file that spoils that is found by halving.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import duckdb

from pipelines.loading.batches import Batch, Reading, spoilers
from pipelines.loading.files import Found, not_its_fault
from pipelines.loading.raw import Connection
from pipelines.loading.readers import csv, json_lines, parquet
from pipelines.loading.readers.broken import reason
from pipelines.loading.readers.packed import unpacks_too_far
from pipelines.loading.readers.setting_aside import begin
from pipelines.paths import Plain


def prepare(
    connection: Connection,
    files: Sequence[Found],
    scratch: Path,
    plain: Plain,
    *,
    is_strict: bool = False,
) -> Reading:
    """Sort new `files` into batches, without reading any row of Parquet.

    Args:
        scratch: a folder for what has to be written anew; it must hold until the batches are read.
        plain: gives the path that DuckDB reads a file by (see `paths.plain_paths`); it must hold
            until the batches are read.
        is_strict: whether a text file with one bad line is refused as a whole.
    """

    def of(some: Sequence[Found]) -> Reading:
        return _prepare(connection, some, scratch, plain, is_strict=is_strict)

    try:
        return of(files)
    except duckdb.OutOfMemoryException:
        large = _too_large(files, of)
        if not large:
            raise
    reading = of([found for found in files if found not in large])
    [(limit,)] = connection.execute("select current_setting('memory_limit')").fetchall()
    why = f"reading it takes more memory than {limit} (COUNTERFOIL_MEMORY_LIMIT)"
    reading.rejected.extend((not_its_fault(found), why) for found in large)
    return reading


def _too_large(files: Sequence[Found], read: Callable[[Sequence[Found]], object]) -> list[Found]:
    """The files that take too much memory each by itself, found by halving."""
    try:
        read(files)
        return []
    except duckdb.OutOfMemoryException:
        if len(files) == 1:
            return list(files)
    middle = len(files) // 2
    return _too_large(files[:middle], read) + _too_large(files[middle:], read)


def _prepare(
    connection: Connection,
    files: Sequence[Found],
    scratch: Path,
    plain: Plain,
    *,
    is_strict: bool,
) -> Reading:
    reading = Reading([], [])
    begin(connection)
    readable = []
    for found in files:
        if found.size == 0:
            reading.rejected.append((found, "it is empty (0 bytes)"))
        elif too_far := unpacks_too_far(found):
            reading.rejected.append((found, too_far))
        else:
            readable.append(found)

    def of(reader: str) -> list[Found]:
        return [found for found in readable if found.kind.reader == reader]

    footed = of("parquet")
    for number, found in enumerate(of("avro")):
        from pipelines.loading.readers.avro import to_parquet
        from pipelines.loading.readers.avro_blocks import NotAvro, NotHere

        try:
            footed.append(to_parquet(found, scratch / "avro" / str(number)))
        except NotHere as error:
            reading.rejected.append((not_its_fault(found), str(error)))
        except NotAvro as error:
            reading.rejected.append((found, str(error)))
    parquet.prepare(connection, _named_plainly(footed, plain), reading)
    for name, reader in (("csv", csv), ("jsonl", json_lines)):
        rest = plain(scratch) / name
        texts = _named_plainly(of(name), plain)
        reader.prepare(connection, texts, reading, scratch=rest, is_strict=is_strict)
    return reading


def _named_plainly(files: Sequence[Found], plain: Plain) -> list[Found]:
    return [
        found if found.path is None else replace(found, path=plain(found.path)) for found in files
    ]


def culprits(connection: Connection, batch: Batch) -> list[tuple[Found, str]]:
    """Read every value of every file of `batch` and say which files cannot be read, and why."""

    def read(files: Sequence[Found]) -> None:
        connection.execute(
            f"select bit_xor(hash(batch)) from ({batch.only(files).select()}) as batch"
        ).fetchall()

    return [
        (found, reason(connection, batch.only([found]))) for found, _ in spoilers(batch.files, read)
    ]
