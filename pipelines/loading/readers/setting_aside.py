"""A text file with bad lines: they are set aside, each with its reason, and the rest is read.

Such a file is cut into records by Python and written to Parquet, a record a row, in the columns
that its format would have had. What its values say is then asked of DuckDB, as for any file.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.built.quoting import literal
from pipelines.loading.batches import Batch, Columns, Reading, path_list
from pipelines.loading.families import Family
from pipelines.loading.files import Found
from pipelines.loading.raw import ATTACH_INCOMING, Connection
from pipelines.loading.readers.broken import line_reason

# Of more bad lines than one in so many a file is no longer itself: it is refused as a whole.
LINES_A_BAD_ONE = 10
RECORDS_AT_ONCE = 20_000
BYTES_AT_ONCE = 64 * 1024 * 1024

SET_ASIDE = "incoming.main.set_aside"
"""The bad lines of the files of this load, by the location of their file."""
_ROW, _PLACE, _LINE = "row", "place", "line"


def begin(connection: Connection) -> None:
    """No line is set aside yet."""
    connection.execute(ATTACH_INCOMING)
    connection.execute(
        f"create or replace table {SET_ASIDE} (location varchar, row bigint, line_number bigint,"
        " column_name varchar, reason varchar)"
    )


def count_set_aside(connection: Connection) -> dict[str, int]:
    """How many lines were set aside, by the location of their file."""
    return dict(
        connection.execute(
            f"select location, count(distinct line_number) from {SET_ASIDE} group by location"
        ).fetchall()
    )


class Sieve:
    """Writes the records of one file to Parquet, and notes the lines that are none.

    Each record has a `row`, its number among those kept, a `place`, its number among all, counted
    as in a file without bad lines (after `header` lines), and a `line`, where it begins.
    """

    def __init__(
        self,
        connection: Connection,
        found: Found,
        path: Path,
        columns: Sequence[str],
        header: int = 0,
    ) -> None:
        self.connection, self.found, self.path, self.columns = connection, found, path, columns
        self.kept = self.bad = 0
        self._place = header
        self._records: list[tuple[int, int, Sequence[str | None]]] = []
        self._refused: list[tuple[int, str]] = []
        self._size = 0
        path.parent.mkdir(parents=True, exist_ok=True)
        texts = [(name, pa.string()) for name in columns]
        self._schema = pa.schema([*((name, pa.int64()) for name in (_ROW, _PLACE, _LINE)), *texts])
        self._writer = pq.ParquetWriter(path, self._schema)

    def __enter__(self) -> Sieve:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self._write()
        self._writer.close()

    def keep(self, line: int, values: Sequence[str | None]) -> None:
        """A record."""
        self._place += 1
        self._records.append((self._place, line, values))
        self._size += sum(len(value) for value in values if value)
        if len(self._records) >= RECORDS_AT_ONCE or self._size > BYTES_AT_ONCE:
            self._write()

    def refuse(self, line: int, reason: str) -> None:
        """A line that is no record."""
        self.bad += 1
        self._place += 1
        self._refused.append((line, reason))
        if len(self._refused) >= RECORDS_AT_ONCE:
            self._write()

    def _write(self) -> None:
        if self._records:
            places, lines, values = zip(*self._records, strict=True)
            rows = range(self.kept, self.kept + len(lines))
            arrays = [
                *(pa.array(numbers, pa.int64()) for numbers in (rows, places, lines)),
                *(pa.array(texts, pa.string()) for texts in zip(*values, strict=True)),
            ]
            self._writer.write_table(pa.table(arrays, schema=self._schema))
            self.kept += len(lines)
        _note(
            self.connection,
            self.found,
            [(None, line, None, reason) for line, reason in self._refused],
        )
        self._records, self._refused, self._size = [], [], 0


def take_rest(
    sieve: Sieve,
    family: Family,
    columns: Columns,
    reading: Reading,
    *,
    is_strict: bool,
    checks: Columns = (),
) -> None:
    """Sort what `sieve` kept into a batch without the records that cannot be read as `columns`, or
    as `checks`.

    With `is_strict`, or with too many bad lines, the file is refused as a whole.
    """
    connection, found = sieve.connection, sieve.found
    total = sieve.kept + sieve.bad
    batch = Batch(
        family=family,
        files=(replace(found, path=sieve.path, rows=sieve.kept),),
        columns=columns,
        source=_source,
        file_column="filename",
        line=lambda _: _PLACE,
        checks=checks,
    )

    def is_too_many(bad: int) -> bool:
        return bad * LINES_A_BAD_ONE > total or (is_strict and bad > 0)

    bad = sieve.bad
    if not is_too_many(bad):
        seen: set[int] = set()
        for row, line, column, reason in _unreadable(connection, batch):
            if row in seen:
                continue
            seen.add(row)
            _note(connection, found, [(row, line, column, reason)])
            bad += 1
            if is_too_many(bad):
                break
        if seen and not is_too_many(bad):
            batch = _without(connection, batch, len(seen))
    if not is_too_many(bad):
        reading.batches.append(batch)
        return
    [(line, reason)] = connection.execute(
        f"select line_number, reason from {SET_ASIDE} where location = ?"
        " order by line_number, reason limit 1",
        [found.location],
    ).fetchall()
    connection.execute(f"delete from {SET_ASIDE} where location = ?", [found.location])
    why = (
        f"more than one line in {LINES_A_BAD_ONE} is bad"
        if bad * LINES_A_BAD_ONE > total
        else "with --strict one bad line is enough"
    )
    reading.rejected.append((found, f"{at_line(line, reason)} ({why})"))


def at_line(line: int, reason: str) -> str:
    """What is wrong with a line, with its number."""
    for what in ("line", "row"):
        if reason.startswith(f"the {what} "):
            return reason.replace(f"the {what}", f"{what} {line}", 1)
    return f"line {line}: {reason}"


def _note(
    connection: Connection, found: Found, lines: Sequence[tuple[int | None, int, str | None, str]]
) -> None:
    if lines:
        rows, numbers, names, reasons = (list(values) for values in zip(*lines, strict=True))
        connection.execute(
            f"insert into {SET_ASIDE} select $location, unnest(cast($rows as bigint[])),"
            " unnest(cast($numbers as bigint[])), unnest(cast($names as varchar[])),"
            " unnest(cast($reasons as varchar[]))",
            {
                "location": found.location,
                "rows": rows,
                "numbers": numbers,
                "names": names,
                "reasons": reasons,
            },
        )


def _source(files: Sequence[Found]) -> str:
    return f"read_parquet({path_list(files)}, hive_partitioning = false, filename = 'filename')"


def _without(connection: Connection, batch: Batch, count: int) -> Batch:
    """The batch without the records that were set aside."""
    [found] = batch.files
    assert found.path is not None
    path = found.path.with_name(f"rest_{found.path.name}")
    connection.execute(
        f"copy (select * exclude (filename) from {batch.source(batch.files)} where {_ROW} not in"
        f" (select row from {SET_ASIDE} where location = {literal(found.location)}"
        f" and row is not null)) to {literal(str(path))} (format parquet)"
    )
    return batch.only([replace(found, path=path, rows=found.rows - count)])


def _unreadable(connection: Connection, batch: Batch) -> Iterator[tuple[int, int, str, str]]:
    """Each value that cannot be read: row and line of its record, the column and the reason."""
    [found] = batch.files
    source = batch.source(batch.files)
    for name, kind, sql in (*batch.columns, *batch.checks):
        part = f"select bit_xor(hash({sql}))"
        if _fault(connection, f"{part} from {source}") is None:
            continue
        for first in range(0, found.rows, RECORDS_AT_ONCE):
            last = min(first + RECORDS_AT_ONCE, found.rows)
            connection.execute(
                f"create or replace temp table some_records as select * from {source}"
                f" where {_ROW} >= {first} and {_ROW} < {last}"
            )
            # prepared once: it is asked of every half
            connection.execute(
                f"prepare some_read as {part} from some_records where {_ROW} >= $1 and {_ROW} < $2"
            )
            for row, error in _faults(connection, first, last):
                [(line,)] = connection.execute(
                    f"select {_LINE} from some_records where {_ROW} = {row}"
                ).fetchall()
                yield row, line, *line_reason(name, kind, error, batch.family)
            connection.execute("deallocate some_read")
            connection.execute("drop table some_records")


def _faults(connection: Connection, low: int, high: int) -> Iterator[tuple[int, Exception]]:
    """The rows from `low` to below `high` that cannot be read, found by halving."""
    error = _fault(connection, f"execute some_read({low}, {high})")
    if error is None:
        return
    if high - low == 1:
        yield low, error
        return
    middle = (low + high) // 2
    yield from _faults(connection, low, middle)
    yield from _faults(connection, middle, high)


def _fault(connection: Connection, statement: str) -> Exception | None:
    """What `statement` fails of, where it is a value that cannot be read."""
    try:
        connection.execute(statement).fetchall()
    except duckdb.OutOfMemoryException:
        raise
    except duckdb.Error as error:
        found_out: Exception = error
        return found_out
    return None
