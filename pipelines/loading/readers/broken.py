"""Why a file or a line cannot be read: the column or the line, never a value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import duckdb

from pipelines.built.quoting import quoted
from pipelines.loading.batches import Batch, Reading, spoilers
from pipelines.loading.families import WORDS, Family, Kind
from pipelines.loading.files import Found
from pipelines.loading.raw import Connection
from pipelines.loading.readers.lines import check
from pipelines.loading.refusing import refusal

KEY_TWICE = "a key twice"
"""What an object may not have: the first value and the last are both as good as told."""


def read_ahead(connection: Connection, batch: Batch, reading: Reading) -> list[Found]:
    """Text has no footer to trust: read it once to count its rows.

    Returns:
        The files that are not sound from end to end.
    """
    counts: dict[str, int] = {}
    file_column = quoted(batch.file_column)

    def read(files: Sequence[Found]) -> None:
        for found in files:
            check(found)
        part = batch.only(files)
        values = (*part.columns, *part.checks)
        columns = ", ".join(f"{sql} as {quoted(name)}" for name, _, sql in values)
        counts.update(
            {
                path: count
                for path, count, _ in connection.execute(
                    f"select file, count(*), bit_xor(hash(batch)) from (select {columns},"
                    f" {file_column} as file from {part.source(files)}) as batch group by file"
                ).fetchall()
            }
        )

    spoiled = [found for found, _ in spoilers(batch.files, read)]
    good = [
        replace(found, rows=counts.get(str(found.path), 0))
        for found in batch.files
        if found not in spoiled
    ]
    if good:
        reading.batches.append(batch.only(good))
    return spoiled


def reason(connection: Connection, batch: Batch) -> str:
    """Why the one file of `batch` cannot be read whole."""
    for name, kind, sql in batch.columns:
        try:
            connection.execute(
                f"select bit_xor(hash({sql})) from {batch.source(batch.files)}"
            ).fetchall()
        except duckdb.Error as error:
            if is_missing(error):
                return f"a row has no `{written_name(batch.family, name)}`"
            is_parquet = batch.files[0].kind.reader == "parquet"
            damage = "its pages are damaged" if is_parquet else "its values are damaged"
            return _value_reason(name, kind, error) or damage
    return "its values cannot be read"


def line_reason(name: str, kind: Kind, error: Exception, family: Family) -> tuple[str, str]:
    """The column of a line that cannot be read, and why."""
    written = written_name(family, name)
    if is_missing(error):
        return written, f"the line lacks `{written}`"
    if KEY_TWICE in str(error):
        return written, f"the column `{name}` holds {KEY_TWICE}"
    return written, _value_reason(written, kind, error) or f"the column `{written}` cannot be read"


def written_name(family: Family, name: str) -> str:
    """The column `name` as the files of `family` write it."""
    return family.aliases.get(name, (name,))[-1]


def is_missing(error: Exception) -> bool:
    """Whether a value that must be there was not."""
    return "is missing in a row" in str(error)


def _value_reason(name: str, kind: Kind, error: Exception) -> str | None:
    words = {
        "text": "text",
        "word": "text",
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
        is_text = kind in WORDS
        return f"the column `{name}` {'holds text that is not UTF-8' if is_text else what}"
    return None
