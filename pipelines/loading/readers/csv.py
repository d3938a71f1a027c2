"""CSV: columns by the names of the header, read once ahead to find what is broken."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from pipelines.blanks import BLANKS
from pipelines.built.quoting import literal, quoted
from pipelines.loading.batches import (
    Batch,
    Reading,
    path_list,
    place,
    raw_columns,
    what_is_missing,
    what_is_twice,
)
from pipelines.loading.casts import CELL
from pipelines.loading.families import Constants
from pipelines.loading.files import Found
from pipelines.loading.raw import Connection
from pipelines.loading.readers.broken import read_ahead
from pipelines.loading.readers.lines import (
    BYTE_ORDER_MARK,
    LONGEST_LINE,
    NOT_UTF8,
    NotText,
    csv_records,
    opened,
)
from pipelines.loading.readers.packed import CUT_SHORT, UNSOUND, is_gzip
from pipelines.loading.readers.setting_aside import Sieve, take_rest
from pipelines.plural import counted


def prepare(
    connection: Connection,
    files: Sequence[Found],
    reading: Reading,
    *,
    scratch: Path,
    is_strict: bool,
) -> None:
    """Sort new files into the batches of `reading`, or say why they cannot be read.

    Args:
        scratch: a folder for what is left of files with bad lines; it must hold until the batches
            are read.
        is_strict: whether one bad line is enough to refuse its file.
    """
    groups: dict[tuple[str, tuple[str, ...], bool, Constants], list[Found]] = {}
    for found in files:
        reason, header = csv_header(found)
        header = found.kind.columns_of(header)
        family = found.kind.family
        if reason := reason or what_is_missing(family, header) or what_is_twice(family, header):
            reading.rejected.append((found, reason))
            continue
        key = (family.name, tuple(header), is_gzip(found), found.kind.constants)
        groups.setdefault(key, []).append(found)
    for (_, names, zipped, constants), group in groups.items():
        family = group[0].kind.family
        positions = [f"column_{number}" for number in range(len(names))]
        declared = ", ".join(f"{literal(position)}: 'VARCHAR'" for position in positions)

        def source(some: Sequence[Found], declared: str = declared, zipped: bool = zipped) -> str:
            return (
                f"read_csv({path_list(some)}, auto_detect = false, header = true,"
                f" columns = {{{declared}}}, delim = ',', quote = '\"', escape = '\"',"
                " strict_mode = true, null_padding = false, ignore_errors = false,"
                f" max_line_size = {LONGEST_LINE}, buffer_size = {2 * LONGEST_LINE},"
                # left alone, a buffer holds sixteen of the longest lines
                f" compression = '{'gzip' if zipped else 'none'}',"
                " hive_partitioning = false, filename = 'filename')"
            )

        present = [
            (_again(name, number, names), quoted(position), CELL)
            for number, (name, position) in enumerate(zip(names, positions, strict=True))
        ]
        # DuckDB takes a quote behind it for a part of the text
        has_mark = f"starts_with({quoted(positions[0])}, {literal(BYTE_ORDER_MARK)})"
        batch = Batch(
            family=family,
            files=tuple(group),
            columns=raw_columns(family, present, dict(constants), is_text=True),
            source=source,
            file_column="filename",
            line=partial(place, header=1),
            checks=(("a mark within", "text", f"case when {has_mark} then error('a mark') end"),),
        )
        for number, found in enumerate(read_ahead(connection, batch, reading)):
            path = scratch / f"{len(reading.batches)}_{number}.parquet"
            with Sieve(connection, found, path, positions, header=1) as sieve:
                damage = _sift(found, sieve)
            if damage:
                reading.rejected.append((found, damage))
            else:
                take_rest(sieve, family, batch.columns, reading, is_strict=is_strict)


def _again(name: str, number: int, names: Sequence[str]) -> str:
    """A repeated header keeps its values under its name and its place."""
    return name if name not in names[:number] else f"{name} {number + 1}"


def csv_header(found: Found) -> tuple[str | None, list[str]]:
    """Why the first line cannot be read, or None, and its headings."""
    try:
        with opened(found) as handle:
            _, header = next(csv_records(handle), (1, []))
    except NotText as error:
        return str(error), []
    except UNSOUND:
        return "it cannot be opened, or its compression is damaged", []
    if isinstance(header, str):
        in_utf8 = " in UTF-8" if header == NOT_UTF8 else ""
        return f"its first line cannot be read as a CSV header{in_utf8}", []
    return None, [name.strip(BLANKS) for name in header]


def _sift(found: Found, sieve: Sieve) -> str | None:
    """Give the records of `found` to `sieve`, or say why there are none to be had."""
    count = len(sieve.columns)
    try:
        with opened(found) as handle:
            records = csv_records(handle)
            _, header = next(records, (1, []))
            for line, fields in records:
                if isinstance(fields, str):
                    sieve.refuse(line, fields)
                elif fields == header:
                    sieve.refuse(line, "the line is the header again")
                elif len(fields) == count or (len(fields) == count + 1 and not fields[-1]):
                    sieve.keep(line, [field or None for field in fields[:count]])
                else:
                    has = counted(len(fields), "field")
                    why = f"it has {has} where the header has {count}"
                    sieve.refuse(line, f"the line cannot be read as CSV: {why}")
    except UNSOUND:
        return CUT_SHORT
    return None
