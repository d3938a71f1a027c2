"""Text files: packed or not, opened, and their lines in lists of bounded size."""

from __future__ import annotations

import csv
import gzip
import zlib
from collections.abc import Iterator
from typing import IO

import duckdb

from pipelines.loading.files import Found

LONGEST_LINE = 64 * 1024 * 1024
LINES_AT_ONCE = 20_000

Line = tuple[int, list[str]]
"""Its number in the file, and its fields."""


def is_gzip(found: Found) -> bool:
    """Whether its name says that it is packed."""
    return found.name.lower().endswith(".gz")


def opened(found: Found) -> IO[str]:
    """Header and line diagnosis only; rows go through DuckDB's readers."""
    assert found.path is not None
    if is_gzip(found):
        return gzip.open(
            found.path, "rt", encoding="utf-8-sig", errors="surrogateescape", newline=""
        )
    return found.path.open(encoding="utf-8-sig", errors="surrogateescape", newline="")


def check_gzip(found: Found) -> None:
    """Read a gzip file to its end: its checksum is all the protection that text has."""
    if not is_gzip(found):
        return
    assert found.path is not None
    try:
        with gzip.open(found.path) as handle:
            while handle.read(1 << 20):
                pass
    except (OSError, EOFError, zlib.error) as error:
        raise duckdb.IOException("gzip") from error


def lines_at_once(found: Found) -> Iterator[list[Line]]:
    """The lines of a text file in lists of bounded size; none for other files."""
    if found.kind.reader not in ("csv", "jsonl"):
        return
    lines: list[Line] = []
    size = 0
    with opened(found) as handle:
        for line in _csv_lines(handle) if found.kind.reader == "csv" else _json_lines(handle):
            lines.append(line)
            size += sum(map(len, line[1]))
            if len(lines) == LINES_AT_ONCE or size > LONGEST_LINE:
                yield lines
                lines, size = [], 0
    if lines:
        yield lines


def _csv_lines(handle: IO[str]) -> Iterator[Line]:
    csv.field_size_limit(LONGEST_LINE)
    rows = csv.reader(handle, strict=True)
    next(rows, None)
    number = rows.line_num + 1
    for row in rows:
        if row:
            yield number, row
        number = rows.line_num + 1


def _json_lines(handle: IO[str]) -> Iterator[Line]:
    for number, line in enumerate(handle, start=1):
        if line.strip():
            yield number, [line]
