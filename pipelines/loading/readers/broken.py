"""Why a file cannot be read: the column or the line, never a value."""

from __future__ import annotations

import csv
import json
import re
import zlib
from collections.abc import Sequence
from dataclasses import replace

import duckdb

from pipelines.built.quoting import quoted
from pipelines.loading.batches import Batch, Reading, spoilers
from pipelines.loading.casts import refusal
from pipelines.loading.families import Family, Kind
from pipelines.loading.files import Found
from pipelines.loading.raw import Connection
from pipelines.loading.readers.lines import Line, check_gzip, lines_at_once, opened


def read_ahead(connection: Connection, batch: Batch, reading: Reading) -> None:
    """Text has no footer to trust: read it once to count its rows and to find what is broken."""
    counts: dict[str, int] = {}
    file_column = quoted(batch.file_column)

    def read(files: Sequence[Found]) -> None:
        for found in files:
            check_gzip(found)
        part = batch.only(files)
        columns = ", ".join(f"{sql} as {quoted(name)}" for name, _, sql in part.columns)
        counts.update(
            {
                path: count
                for path, count, _ in connection.execute(
                    f"select file, count(*), bit_xor(hash(batch)) from (select {columns},"
                    f" {file_column} as file from {part.source(files)}) as batch group by file"
                ).fetchall()
            }
        )

    spoiled = {found for found, _ in spoilers(batch.files, read)}
    for found in batch.files:
        if found in spoiled:
            reading.rejected.append((found, reason(connection, batch.only([found]))))
    good = [
        replace(found, rows=counts.get(str(found.path), 0))
        for found in batch.files
        if found not in spoiled
    ]
    if good:
        reading.batches.append(batch.only(good))


def reason(connection: Connection, batch: Batch) -> str:
    """Why the one file of `batch` cannot be read: the column or the line, never a value."""
    found = batch.files[0]
    try:
        check_gzip(found)
    except duckdb.Error:
        return "its compression is damaged or it ends too early"
    if found.kind.reader == "csv":
        try:
            connection.execute(
                f"select bit_xor(hash(line)) from {batch.source(batch.files)} as line"
            ).fetchall()
        except duckdb.Error as error:
            line = re.search(r"\bLine: (\d+)", str(error))
            where = f"line {line[1]}" if line else "a line"
            return f"{where} cannot be read as CSV in UTF-8 with the columns of the header"
    for name, kind, sql in batch.columns:
        try:
            connection.execute(
                f"select bit_xor(hash(part)) from ({batch.select([name])}) as part"
            ).fetchall()
        except duckdb.Error as error:
            first = _first_line(connection, sql, found)
            if first is None:
                return _column_reason(name, kind, error, found)
            number, cause = first
            if _is_missing(cause):
                return f"line {number} lacks `{found.kind.family.aliases.get(name, (name,))[-1]}`"
            return f"line {number}: {_column_reason(name, kind, cause, found)}"
    return "its values cannot be read"


def _first_line(connection: Connection, sql: str, found: Found) -> tuple[int, Exception] | None:
    """The first line of a text file where the column `sql` cannot be read, and DuckDB's word on it.

    A file has passed its reader by then, so Python's readers see the same lines.
    """

    def failure(lines: Sequence[Line]) -> Exception | None:
        fields = {
            name: [fields[number] for _, fields in lines]
            for number, name in enumerate(names)
            if quoted(name) in sql or name == "json"
        }
        given = ", ".join(f"unnest(${name}) as {quoted(name)}" for name in fields)
        try:
            connection.execute(
                f"select bit_xor(hash({sql})) from (select {given}) as lines", fields
            ).fetchall()
        except duckdb.Error as error:
            found_out: Exception = error
            return found_out
        return None

    try:
        for lines in lines_at_once(found):
            names = (
                ["json"]
                if found.kind.reader == "jsonl"
                else [f"column_{number}" for number in range(len(lines[0][1]))]
            )
            if failure(lines) is None:
                continue
            low, high = 0, len(lines)
            while high - low > 1:
                middle = (low + high) // 2
                low, high = (middle, high) if failure(lines[low:middle]) is None else (low, middle)
            error = failure(lines[low:high])
            return None if error is None else (lines[low][0], error)
    except (OSError, EOFError, zlib.error, csv.Error, UnicodeError):
        pass
    return None


def line_reason(found: Found, family: Family) -> str:
    """Which line is broken. Names a line, never its content."""
    try:
        with opened(found) as handle:
            for number, line in enumerate(handle, start=1):
                if not line.strip():
                    continue
                try:
                    line.encode()
                    body = json.loads(line)
                except (ValueError, RecursionError):
                    return f"line {number} is not valid JSON in UTF-8"
                if not isinstance(body, dict):
                    return f"line {number} is not a JSON object"
                for name in family.not_null:
                    given = (name, *family.aliases.get(name, ()))
                    if all(body.get(key) is None for key in given):
                        return f"line {number} lacks `{given[-1]}`"
    except (OSError, EOFError, zlib.error):
        return "its compression is damaged or it ends too early"
    return "a line cannot be read as JSON"


def _is_missing(error: Exception) -> bool:
    return "is missing in a row" in str(error)


def _column_reason(name: str, kind: Kind, error: Exception, found: Found) -> str:
    if _is_missing(error):
        if found.kind.reader == "jsonl":
            return line_reason(found, found.kind.family)
        return f"a row has no `{name}`"
    words = {
        "text": "text",
        "id": "an id",
        "bigint": "a whole number",
        "timestamp": "a time",
        "event_time": "a time",
        "bool": "true or false",
        "decimal": "an amount",
        "json": "JSON",
    }
    what = f"holds a value that is not {words[kind]}"
    if (instead := refusal(error)) is not None:
        return f"the column `{name}` {what}" + (f" ({instead})" if instead else "")
    if isinstance(error, duckdb.BinderException):
        return f"the column `{name}` is of a type that cannot be read as {words[kind]}"
    if isinstance(error, (duckdb.ConversionException, duckdb.OutOfRangeException)):
        is_text = kind in ("text", "id")
        return f"the column `{name}` {'holds text that is not UTF-8' if is_text else what}"
    return "its pages are damaged" if found.kind.reader == "parquet" else "its values are damaged"
