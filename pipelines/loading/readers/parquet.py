"""Parquet: footers are read for all files at once, rows only by the load itself."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import duckdb

from pipelines.built.quoting import literal, quoted
from pipelines.loading.amounts import is_finer_than_a_cent
from pipelines.loading.batches import (
    Batch,
    Reading,
    path_list,
    place,
    raw_columns,
    spoilers,
    what_is_missing,
    what_is_twice,
)
from pipelines.loading.bounds import (
    LARGEST_DESCRIPTION,
    MB,
    too_many_rows,
    too_wide,
    unpacks_too_far,
)
from pipelines.loading.families import Constants
from pipelines.loading.files import Found
from pipelines.loading.raw import Connection
from pipelines.loading.refusing import HALF


def prepare(connection: Connection, files: Sequence[Found], reading: Reading) -> None:
    """Sort new files into the batches of `reading`, or say why they cannot be read."""
    signatures: dict[str, str] = {}
    widths: dict[str, int] = {}
    counts: dict[str, int] = {}
    texts: dict[str, tuple[float, float]] = {}

    def read_footers(some: Sequence[Found]) -> None:
        paths = path_list(some)
        for path, signature, width in connection.execute(
            "select file_name, md5(string_agg(concat_ws('|', column_id, name, type,"
            " num_children, converted_type, logical_type, duckdb_type, scale, precision),"
            " chr(10) order by column_id)), count(*) - 1"
            f" from parquet_schema({paths}) group by file_name"
        ).fetchall():
            signatures[path], widths[path] = signature, width
        counts.update(
            connection.execute(
                f"select file_name, num_rows from parquet_file_metadata({paths})"
            ).fetchall()
        )
        texts.update(
            (path, (said, most))
            for path, said, most in connection.execute(
                "select file_name, sum(cast(total_uncompressed_size as double)),"
                " sum(case when encodings like '%DICTIONARY%'"
                " then cast(total_uncompressed_size as double) * num_values else 0 end)"
                f" from parquet_metadata({paths}) group by file_name"
            ).fetchall()
        )

    described: list[Found] = []
    for found in files:
        if reason := _description_too_large(found):
            reading.rejected.append((found, reason))
        else:
            described.append(found)
    spoiled = dict(spoilers(described, read_footers))
    groups: dict[tuple[str, str], list[Found]] = {}
    for found in described:
        if found in spoiled:
            reading.rejected.append((found, _parquet_reason(spoiled[found])))
            continue
        path = str(found.path)
        if reason := (
            too_wide(widths[path])
            or too_many_rows(counts[path], found.size)
            or _unpacks_too_far(connection, found, *texts.get(path, (0, 0)))
        ):
            reading.rejected.append((found, reason))
            continue
        groups.setdefault((found.kind.family.name, signatures[path]), []).append(
            replace(found, rows=counts[path])
        )
    for (_, _), group in sorted(groups.items(), key=lambda item: item[0]):
        _batch_parquet(connection, group, reading)


def _batch_parquet(connection: Connection, group: list[Found], reading: Reading) -> None:
    family = group[0].kind.family

    def source(files: Sequence[Found], file_column: str = "") -> str:
        named = f", filename = {literal(file_column)}" if file_column else ""
        return f"read_parquet({path_list(files)}, hive_partitioning = false{named})"

    described: list[tuple[Any, ...]] = []

    def describe(some: Sequence[Found]) -> None:
        described[:] = connection.execute(f"describe select * from {source(some[:1])}").fetchall()

    if bad := spoilers(group[:1], describe):
        damage = _parquet_reason(bad[0][1])
        reading.rejected.extend((found, damage) for found in group)
        return
    names = [row[0] for row in described]
    schema = connection.execute(
        "select name, num_children, logical_type"
        f" from parquet_schema({path_list(group[:1])}) order by column_id"
    ).fetchall()
    # of two of one name DuckDB calls the second otherwise
    if reason := what_is_missing(family, names) or what_is_twice(family, _names_in(schema)):
        reading.rejected.extend((found, reason) for found in group)
        return
    file_column = "filename"
    while file_column in {name.lower() for name in names}:
        file_column += "_"
    halves = {name for name, _, logical in schema if logical == "Float16Type()"}
    present = [
        # DuckDB reads a float of half precision as a single one, and its lost digits as exact
        (name, quoted(name), HALF if name in halves and kind == "FLOAT" else kind)
        for name, kind, *_ in described
    ]
    lowered = {name.lower() for name in names}
    rounded = tuple(
        (name.lower(), is_finer_than_a_cent(sql, kind))
        for name, sql, kind in present
        if family.columns.get(name.lower()) == "decimal"
    )
    split: dict[Constants, list[Found]] = {}
    for found in group:
        split.setdefault(found.kind.constants, []).append(found)
    # a column of that name hides DuckDB's: such files are read one by one
    hidden = "file_row_number" in lowered
    for constants, files in split.items():
        for some in [[found] for found in files] if hidden else [files]:
            reading.batches.append(
                Batch(
                    family=family,
                    files=tuple(some),
                    columns=raw_columns(family, present, dict(constants), is_text=False),
                    source=lambda some: source(some, file_column),
                    file_column=file_column,
                    line=place if hidden else _place_in_parquet,
                    rounded=rounded,
                )
            )


def _names_in(schema: Sequence[tuple[Any, ...]]) -> list[str]:
    """The names of columns, without those of the parts that they have; the first row is the root.

    Args:
        schema: name, how many parts it has, and its type, as they follow each other.
    """
    names, inside = [], 0
    for name, parts, _ in schema[1:]:
        if inside:
            inside -= 1
        else:
            names.append(name)
        inside += parts or 0
    return names


def _unpacks_too_far(connection: Connection, found: Found, said: float, most: float) -> str | None:
    """The reason when a small file makes large rows: one long word, told in all by its number.

    Args:
        said: bytes of its columns as the footer tells them, each different word once.
        most: bytes that there would be if every row held all the words of its column.
    """
    reason = unpacks_too_far(found.size, said)
    if reason or unpacks_too_far(found.size, most) is None:
        return reason
    source = f"read_parquet({literal(str(found.path))}, hive_partitioning = false)"
    length = {"VARCHAR": "strlen", "BLOB": "octet_length"}
    try:
        words = [
            f"coalesce(sum({length[kind]}({quoted(name)})), 0)"
            for name, kind, *_ in connection.execute(f"describe from {source}").fetchall()
            if kind in length
        ]
        if not words:  # what is no text is as large in every row
            return None
        [(unpacked,)] = connection.execute(f"select {' + '.join(words)} from {source}").fetchall()
    except duckdb.Error:  # whoever reads its rows says what is wrong
        return None
    return unpacks_too_far(found.size, unpacked)


def _place_in_parquet(_: Sequence[Found]) -> str:
    return "file_row_number + 1"


def _description_too_large(found: Found) -> str | None:
    """The reason when what stands at the end of the file is too large to be read at once."""
    assert found.path is not None
    try:
        with found.path.open("rb") as handle:
            handle.seek(-8, os.SEEK_END)
            size = int.from_bytes(handle.read(4), "little")
            if handle.read(4) == b"PAR1" and size > LARGEST_DESCRIPTION:
                return f"its footer takes more than {LARGEST_DESCRIPTION // MB} MB"
    except OSError:  # DuckDB says what is wrong
        pass
    return None


def _parquet_reason(error: Exception) -> str:
    text = str(error).lower()
    if "magic bytes" in text or "too small" in text or "not a parquet" in text:
        return "it is not a whole Parquet file (truncated, or another format under this name)"
    if "permission denied" in text:
        return "it cannot be opened (permission denied)"
    return "its Parquet footer is damaged or of a kind that cannot be read"
