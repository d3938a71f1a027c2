"""Batches: files that one SELECT can read, and the reasons why others cannot be read.

Footers and headers are read for all files at once; a file that spoils that is found by halving.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import json
import re
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import accumulate
from pathlib import Path
from typing import IO, Any

import duckdb

from pipelines.loading.casts import JSON, literal, quote, refusal, to_kind
from pipelines.loading.families import (
    LOAD_ID,
    SOURCE_FILE,
    SOURCE_LINE,
    Constants,
    Family,
    Kind,
)
from pipelines.loading.files import Found
from pipelines.loading.raw import Connection
from pipelines.paths import Plain

LONGEST_LINE = 64 * 1024 * 1024
LINES_AT_ONCE = 20_000
RESERVED = frozenset({SOURCE_FILE, SOURCE_LINE, LOAD_ID, "_dlt_id"})

_Line = tuple[int, list[str]]  # its number in the file, and its fields


@dataclass(frozen=True)
class Batch:
    """Files of one family and one signature.

    `columns` maps each raw column to its kind and to the SQL that computes it; `source` is the
    table function call that reads `files`, whose name column is `file_column`. `line` is the SQL
    for the place of a row in its file, in a scan of `files`.
    """

    family: Family
    files: tuple[Found, ...]
    columns: tuple[tuple[str, Kind, str], ...]
    source: Callable[[Sequence[Found]], str]
    file_column: str
    line: Callable[[Sequence[Found]], str]

    @property
    def rows(self) -> int:
        """The rows of all files, by their footers or as counted."""
        return sum(found.rows for found in self.files)

    def select(self, columns: Sequence[str] | None = None) -> str:
        """The SELECT that reads the batch, or only some of its `columns`."""
        chosen = [
            f"{sql} as {quote(name)}"
            for name, _, sql in self.columns
            if columns is None or name in columns
        ]
        if columns is None:
            marks = {SOURCE_FILE: self._file_name(), SOURCE_LINE: self.line(self.files)}
            chosen += [f"{marks[name]} as {quote(name)}" for name in self.family.marks]
        return f"select {', '.join(chosen)} from {self.source(self.files)}"

    def _file_name(self) -> str:
        """The name of the file a row is from, where it is read under another name too."""
        file_column = quote(self.file_column)
        name = f"parse_filename({file_column}, false, 'forward_slash')"
        other = {
            str(found.path): found.name
            for found in self.files
            if found.path is not None and found.path.name != found.name
        }
        if not other:
            return name
        pairs = ", ".join(f"{literal(path)}: {literal(own)}" for path, own in other.items())
        return f"coalesce(map {{{pairs}}}[{file_column}], {name})"

    def only(self, files: Sequence[Found]) -> Batch:
        """The same batch of fewer files."""
        return replace(self, files=tuple(files))


@dataclass
class Reading:
    """What can be read, and what cannot with the reason why."""

    batches: list[Batch]
    rejected: list[tuple[Found, str]]


def prepare(connection: Connection, files: Sequence[Found], scratch: Path, plain: Plain) -> Reading:
    """Sort new `files` into batches, without reading any row of Parquet.

    Args:
        plain: gives the path that DuckDB reads a file by (see `paths.plain_paths`); it must hold
            until the batches are read.
    """
    reading = Reading([], [])
    readable = []
    for found in files:
        if found.size == 0:
            reading.rejected.append((found, "it is empty (0 bytes)"))
        else:
            readable.append(found)

    def of(reader: str) -> list[Found]:
        return [found for found in readable if found.kind.reader == reader]

    parquet = of("parquet")
    for number, found in enumerate(of("avro")):
        from pipelines.loading.readers.avro import NotAvro, to_parquet

        try:
            parquet.append(to_parquet(found, scratch / "avro" / str(number)))
        except NotAvro as error:
            reading.rejected.append((found, str(error)))
    _prepare_parquet(connection, _named_plainly(parquet, plain), reading)
    _prepare_csv(connection, _named_plainly(of("csv"), plain), reading)
    _prepare_jsonl(connection, _named_plainly(of("jsonl"), plain), reading)
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
        (found, _reason(connection, batch.only([found])))
        for found, _ in _spoilers(batch.files, read)
    ]


def _spoilers(
    files: Sequence[Found], read: Callable[[Sequence[Found]], None]
) -> list[tuple[Found, Exception]]:
    """The files that make `read` fail, found by halving."""
    if not files:
        return []
    try:
        read(files)
        return []
    except duckdb.OutOfMemoryException:
        raise
    except (duckdb.Error, UnicodeDecodeError) as error:
        if len(files) == 1:
            return [(files[0], error)]
    middle = len(files) // 2
    return _spoilers(files[:middle], read) + _spoilers(files[middle:], read)


# ---------------------------------------------------------------- columns


def _columns(
    family: Family, present: Sequence[tuple[str, str, str]], constants: dict[str, str]
) -> tuple[tuple[str, Kind, str], ...]:
    """Raw columns from the `present` ones, given as (name, SQL, DuckDB type)."""
    exact = {name: (sql, source) for name, sql, source in present}
    spellings: dict[str, list[str]] = {}  # the lines of a file may spell one name in several ways
    for name in sorted(exact, key=str.islower, reverse=True):
        spellings.setdefault(name.lower(), []).append(name)
    used: set[str] = set()
    columns: list[tuple[str, Kind, str]] = []
    for column, kind in family.columns.items():
        sources = []
        for candidate in (column, *family.aliases.get(column, ())):
            for name in spellings.get(candidate, []):
                used.add(name)
                sources.append(to_kind(kind, *exact[name]))
        if column in constants:
            sources.append(to_kind(kind, literal(constants[column]), "VARCHAR"))
        if len(sources) > 1:
            sql = f"coalesce({', '.join(sources)})"
        else:
            sql = sources[0] if sources else to_kind(kind, "null", '"NULL"')
        if column in family.not_null:
            missing = f"{column} is missing in a row"
            sql = f"case when {sql} is null then error({literal(missing)}) else {sql} end"
        columns.append((column, kind, sql))
    if family.keeps_unknown:
        taken = {*family.columns, *RESERVED}
        for name, (sql, source) in sorted(exact.items()):
            if name not in used:
                raw_name = unknown_name(name, taken)
                taken.add(raw_name)
                columns.append((raw_name, "text", to_kind("text", sql, source)))
    return tuple(columns)


def unknown_name(name: str, taken: set[str]) -> str:
    """The raw name of a column nobody knows: dlt's spelling of it.

    A mark made from the name itself is added where dlt's spelling says less than the name, or is
    already taken: so two names never share a column, in whatever order their files come.
    """
    from dlt.common.normalizers.naming.snake_case import NamingConvention

    naming = NamingConvention()
    mark = hashlib.sha256(name.encode()).hexdigest()[:8]
    try:
        spelled = str(naming.normalize_identifier(name))[:200]
    except ValueError:  # empty or blank
        return f"unnamed_{mark}"
    faithful = re.sub(r"[ .-]", "_", name.lower()).lstrip("_") == spelled.lstrip("_")
    if faithful and spelled not in taken and not spelled.startswith("_dlt"):
        return spelled
    return str(naming.normalize_identifier(f"{spelled.lstrip('_')}_{mark}"))


def _missing(family: Family, present: Sequence[str]) -> str | None:
    """The reason when `present` column names lack what `family` requires."""
    names = {name.lower() for name in present}
    lacking = [name for name in family.required if name not in names]
    if lacking:
        plural = "s" if len(lacking) > 1 else ""
        shown = ", ".join(f"`{name}`" for name in lacking)
        return f"it lacks the required column{plural} {shown}"
    for group in family.required_any:
        if not names & set(group):
            return f"it has none of the columns {', '.join(f'`{name}`' for name in group)}"
    return None


def _place(files: Sequence[Found], header: int = 0) -> str:
    """SQL that counts the rows of each file of a scan of `files`, after `header` lines.

    A window without an order numbers rows as they stream and holds its scan to the order of the
    files, one after the other; the rows of the files before are taken off.
    """
    before = [0, *accumulate(found.rows for found in files)][:-1]
    taken_off = f" - [{', '.join(map(str, before))}][cast(file_index as bigint) + 1]"
    return f"{header} + row_number() over (){taken_off if len(files) > 1 else ''}"


# ---------------------------------------------------------------- Parquet


def _paths(files: Sequence[Found]) -> str:
    return "[" + ", ".join(literal(str(found.path)) for found in files) + "]"


def _prepare_parquet(connection: Connection, files: Sequence[Found], reading: Reading) -> None:
    signatures: dict[str, str] = {}
    counts: dict[str, int] = {}

    def read_footers(some: Sequence[Found]) -> None:
        paths = _paths(some)
        signatures.update(
            connection.execute(
                "select file_name, md5(string_agg(concat_ws('|', column_id, name, type,"
                " num_children, converted_type, logical_type, duckdb_type, scale, precision),"
                f" chr(10) order by column_id)) from parquet_schema({paths}) group by file_name"
            ).fetchall()
        )
        counts.update(
            connection.execute(
                f"select file_name, num_rows from parquet_file_metadata({paths})"
            ).fetchall()
        )

    spoiled = dict(_spoilers(files, read_footers))
    groups: dict[tuple[str, str], list[Found]] = {}
    for found in files:
        if found in spoiled:
            reading.rejected.append((found, _parquet_reason(spoiled[found])))
            continue
        path = str(found.path)
        groups.setdefault((found.kind.family.name, signatures[path]), []).append(
            replace(found, rows=counts[path])
        )
    for (_, _), group in sorted(groups.items(), key=lambda item: item[0]):
        _batch_parquet(connection, group, reading)


def _batch_parquet(connection: Connection, group: list[Found], reading: Reading) -> None:
    family = group[0].kind.family

    def source(files: Sequence[Found], file_column: str = "") -> str:
        named = f", filename = {literal(file_column)}" if file_column else ""
        return f"read_parquet({_paths(files)}, hive_partitioning = false{named})"

    described: list[tuple[Any, ...]] = []

    def describe(some: Sequence[Found]) -> None:
        described[:] = connection.execute(f"describe select * from {source(some[:1])}").fetchall()

    if bad := _spoilers(group[:1], describe):
        damage = _parquet_reason(bad[0][1])
        reading.rejected.extend((found, damage) for found in group)
        return
    names = [row[0] for row in described]
    if lacking := _missing(family, names):
        reading.rejected.extend((found, lacking) for found in group)
        return
    file_column = "filename"
    while file_column in {name.lower() for name in names}:
        file_column += "_"
    present = [(name, quote(name), kind) for name, kind, *_ in described]
    lowered = {name.lower() for name in names}
    split: dict[Constants, list[Found]] = {}
    for found in group:
        split.setdefault(found.kind.constants, []).append(found)
    # a column of that name hides DuckDB's: such files are read one by one
    hidden = family.keeps_lines and "file_row_number" in lowered
    for constants, files in split.items():
        for some in [[found] for found in files] if hidden else [files]:
            reading.batches.append(
                Batch(
                    family=family,
                    files=tuple(some),
                    columns=_columns(family, present, dict(constants)),
                    source=lambda some: source(some, file_column),
                    file_column=file_column,
                    line=_place if hidden else _place_in_parquet,
                )
            )


def _place_in_parquet(_: Sequence[Found]) -> str:
    return "file_row_number + 1"


def _parquet_reason(error: Exception) -> str:
    text = str(error).lower()
    if "magic bytes" in text or "too small" in text or "not a parquet" in text:
        return "it is not a whole Parquet file (truncated, or another format under this name)"
    if "permission denied" in text:
        return "it cannot be opened (permission denied)"
    return "its Parquet footer is damaged or of a kind that cannot be read"


# ---------------------------------------------------------------- CSV


def _prepare_csv(connection: Connection, files: Sequence[Found], reading: Reading) -> None:
    groups: dict[tuple[str, tuple[str, ...], bool], list[Found]] = {}
    for found in files:
        reason, header = _csv_header(found)
        reason = reason or _missing(found.kind.family, header)
        lowered = [name.lower() for name in header]
        twice = [name for name in found.kind.family.columns if lowered.count(name) > 1]
        if not reason and twice:
            reason = f"it has the column `{twice[0]}` twice"
        if reason:
            reading.rejected.append((found, reason))
            continue
        key = (found.kind.family.name, tuple(header), _is_gzip(found))
        groups.setdefault(key, []).append(found)
    for (_, names, zipped), group in groups.items():
        family = group[0].kind.family
        positions = [f"column_{number}" for number in range(len(names))]
        declared = ", ".join(f"{literal(position)}: 'VARCHAR'" for position in positions)

        def source(some: Sequence[Found], declared: str = declared, zipped: bool = zipped) -> str:
            return (
                f"read_csv({_paths(some)}, auto_detect = false, header = true,"
                f" columns = {{{declared}}}, delim = ',', quote = '\"', escape = '\"',"
                " strict_mode = true, null_padding = false, ignore_errors = false,"
                f" max_line_size = {LONGEST_LINE}, compression = '{'gzip' if zipped else 'none'}',"
                " hive_partitioning = false, filename = 'filename')"
            )

        present = [
            (_again(name, number, names), quote(position), "VARCHAR")
            for number, (name, position) in enumerate(zip(names, positions, strict=True))
        ]
        batch = Batch(
            family=family,
            files=tuple(group),
            columns=_columns(family, present, {}),
            source=source,
            file_column="filename",
            line=partial(_place, header=1),
        )
        _read_ahead(connection, batch, reading)


def _again(name: str, number: int, names: Sequence[str]) -> str:
    """A repeated header keeps its values under its name and its place."""
    return name if name not in names[:number] else f"{name} {number + 1}"


def _csv_header(found: Found) -> tuple[str | None, list[str]]:
    try:
        with _text(found) as handle:
            csv.field_size_limit(LONGEST_LINE)
            header = next(csv.reader(handle, strict=True), [])
    except (OSError, EOFError, zlib.error):
        return "it cannot be opened, or its compression is damaged", []
    except (csv.Error, UnicodeDecodeError):
        return "its first line cannot be read as a CSV header in UTF-8", []
    header = [name.strip() for name in header]
    if any("\udc80" <= letter <= "\udcff" for name in header for letter in name):
        return "its first line cannot be read as a CSV header in UTF-8", []
    return None, header


def _is_gzip(found: Found) -> bool:
    return found.name.lower().endswith(".gz")


def _text(found: Found) -> IO[str]:
    """Header and line diagnosis only; rows go through DuckDB's readers."""
    assert found.path is not None
    if _is_gzip(found):
        return gzip.open(
            found.path, "rt", encoding="utf-8-sig", errors="surrogateescape", newline=""
        )
    return found.path.open(encoding="utf-8-sig", errors="surrogateescape", newline="")


# ---------------------------------------------------------------- JSON lines


def _prepare_jsonl(connection: Connection, files: Sequence[Found], reading: Reading) -> None:
    keys: dict[str, list[str]] = {}

    def source(some: Sequence[Found]) -> str:
        zipped = _is_gzip(some[0])
        return (
            f"read_json_objects({_paths(some)}, format = 'newline_delimited',"
            f" compression = '{'gzip' if zipped else 'none'}',"
            f" maximum_object_size = {LONGEST_LINE}, hive_partitioning = false,"
            " filename = 'filename')"
        )

    def read_keys(some: Sequence[Found]) -> None:
        keys.update(
            connection.execute(
                "select filename, list_sort(list_distinct(flatten(list(distinct"
                " case when json_type(json) = 'OBJECT' then json_keys(json)"
                " else error('a line is not an object') end))))"
                f" from {source(some)} group by filename"
            ).fetchall()
        )

    for zipped in (False, True):
        some = [found for found in files if _is_gzip(found) == zipped]
        spoiled = dict(_spoilers(some, read_keys))
        groups: dict[tuple[str, tuple[str, ...], Constants], list[Found]] = {}
        for found in some:
            family = found.kind.family
            names = keys.get(str(found.path), [])
            # a file of no lines has no names to lack
            lacking = _missing(family, names) if names else None
            if found in spoiled:
                reading.rejected.append((found, _line_reason(found, family)))
            elif lacking:
                reading.rejected.append((found, lacking))
            else:
                groups.setdefault((family.name, tuple(names), found.kind.constants), []).append(
                    found
                )
        for (_, names_, constants), group in groups.items():
            family = group[0].kind.family
            present = [(name, _json_field(name), JSON) for name in names_]
            batch = Batch(
                family=family,
                files=tuple(group),
                columns=_columns(family, present, dict(constants)),
                source=source,
                file_column="filename",
                line=_place,
            )
            _read_ahead(connection, batch, reading)


def _json_field(name: str) -> str:
    pointer = literal("/" + name.replace("~", "~0").replace("/", "~1"))
    return f"json_extract(json, {pointer})"


def _line_reason(found: Found, family: Family) -> str:
    """Which line is broken. Names a line, never its content."""
    try:
        with _text(found) as handle:
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


# ---------------------------------------------------------------- text files, and reasons


def _read_ahead(connection: Connection, batch: Batch, reading: Reading) -> None:
    """Text has no footer to trust: read it once to count its rows and to find what is broken."""
    counts: dict[str, int] = {}
    file_column = quote(batch.file_column)

    def read(files: Sequence[Found]) -> None:
        for found in files:
            _check_gzip(found)
        part = batch.only(files)
        columns = ", ".join(f"{sql} as {quote(name)}" for name, _, sql in part.columns)
        counts.update(
            {
                path: count
                for path, count, _ in connection.execute(
                    f"select file, count(*), bit_xor(hash(batch)) from (select {columns},"
                    f" {file_column} as file from {part.source(files)}) as batch group by file"
                ).fetchall()
            }
        )

    spoiled = {found for found, _ in _spoilers(batch.files, read)}
    for found in batch.files:
        if found in spoiled:
            reading.rejected.append((found, _reason(connection, batch.only([found]))))
    good = [
        replace(found, rows=counts.get(str(found.path), 0))
        for found in batch.files
        if found not in spoiled
    ]
    if good:
        reading.batches.append(batch.only(good))


def _check_gzip(found: Found) -> None:
    """Read a gzip file to its end: its checksum is all the protection that text has."""
    if not _is_gzip(found):
        return
    assert found.path is not None
    try:
        with gzip.open(found.path) as handle:
            while handle.read(1 << 20):
                pass
    except (OSError, EOFError, zlib.error) as error:
        raise duckdb.IOException("gzip") from error


def _reason(connection: Connection, batch: Batch) -> str:
    """Why the one file of `batch` cannot be read: the column or the line, never a value."""
    found = batch.files[0]
    try:
        _check_gzip(found)
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

    def failure(lines: Sequence[_Line]) -> Exception | None:
        fields = {
            name: [fields[number] for _, fields in lines]
            for number, name in enumerate(names)
            if quote(name) in sql or name == "json"
        }
        given = ", ".join(f"unnest(${name}) as {quote(name)}" for name in fields)
        try:
            connection.execute(
                f"select bit_xor(hash({sql})) from (select {given}) as lines", fields
            ).fetchall()
        except duckdb.Error as error:
            found_out: Exception = error
            return found_out
        return None

    try:
        for lines in _lines_at_once(found):
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


def _lines_at_once(found: Found) -> Iterator[list[_Line]]:
    """The lines of a text file in lists of bounded size; none for other files."""
    if found.kind.reader not in ("csv", "jsonl"):
        return
    lines: list[_Line] = []
    size = 0
    with _text(found) as handle:
        for line in _csv_lines(handle) if found.kind.reader == "csv" else _json_lines(handle):
            lines.append(line)
            size += sum(map(len, line[1]))
            if len(lines) == LINES_AT_ONCE or size > LONGEST_LINE:
                yield lines
                lines, size = [], 0
    if lines:
        yield lines


def _csv_lines(handle: IO[str]) -> Iterator[_Line]:
    csv.field_size_limit(LONGEST_LINE)
    rows = csv.reader(handle, strict=True)
    next(rows, None)
    number = rows.line_num + 1
    for row in rows:
        if row:
            yield number, row
        number = rows.line_num + 1


def _json_lines(handle: IO[str]) -> Iterator[_Line]:
    for number, line in enumerate(handle, start=1):
        if line.strip():
            yield number, [line]


def _is_missing(error: Exception) -> bool:
    return "is missing in a row" in str(error)


def _column_reason(name: str, kind: Kind, error: Exception, found: Found) -> str:
    if _is_missing(error):
        if found.kind.reader == "jsonl":
            return _line_reason(found, found.kind.family)
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
