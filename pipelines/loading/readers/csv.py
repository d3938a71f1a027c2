"""CSV: columns by the names of the header, read once ahead to find what is broken."""

from __future__ import annotations

import csv
import zlib
from collections.abc import Sequence
from functools import partial

from pipelines.built.quoting import literal, quoted
from pipelines.loading.batches import Batch, Reading, path_list, place, raw_columns, what_is_missing
from pipelines.loading.families import Constants
from pipelines.loading.files import Found
from pipelines.loading.raw import Connection
from pipelines.loading.readers.broken import read_ahead
from pipelines.loading.readers.lines import LONGEST_LINE, is_gzip, opened


def prepare(connection: Connection, files: Sequence[Found], reading: Reading) -> None:
    """Sort new files into the batches of `reading`, or say why they cannot be read."""
    groups: dict[tuple[str, tuple[str, ...], bool, Constants], list[Found]] = {}
    for found in files:
        reason, header = csv_header(found)
        header = found.kind.columns_of(header)
        reason = reason or what_is_missing(found.kind.family, header)
        lowered = [name.lower() for name in header]
        twice = [name for name in found.kind.family.columns if lowered.count(name) > 1]
        if not reason and twice:
            reason = f"it has the column `{twice[0]}` twice"
        if reason:
            reading.rejected.append((found, reason))
            continue
        key = (found.kind.family.name, tuple(header), is_gzip(found), found.kind.constants)
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
                f" max_line_size = {LONGEST_LINE}, compression = '{'gzip' if zipped else 'none'}',"
                " hive_partitioning = false, filename = 'filename')"
            )

        present = [
            (_again(name, number, names), quoted(position), "VARCHAR")
            for number, (name, position) in enumerate(zip(names, positions, strict=True))
        ]
        batch = Batch(
            family=family,
            files=tuple(group),
            columns=raw_columns(family, present, dict(constants)),
            source=source,
            file_column="filename",
            line=partial(place, header=1),
        )
        read_ahead(connection, batch, reading)


def _again(name: str, number: int, names: Sequence[str]) -> str:
    """A repeated header keeps its values under its name and its place."""
    return name if name not in names[:number] else f"{name} {number + 1}"


def csv_header(found: Found) -> tuple[str | None, list[str]]:
    """Why the first line cannot be read, or None, and its headings."""
    try:
        with opened(found) as handle:
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
