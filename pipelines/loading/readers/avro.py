"""Avro to Parquet on the way in: DuckDB's Avro reader is an extension it would have to download.

What a property of the brand's own may hold, and Parquet or Python cannot say, becomes null: bytes
that are no text, a day beyond the year 9999. Where a column that Counterfoil knows holds it, the
file is refused.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

import fastavro
import pyarrow as pa
import pyarrow.parquet as pq
from fastavro.read import LOGICAL_READERS

from pipelines.encoding import is_utf8
from pipelines.loading.batches import what_is_missing
from pipelines.loading.bounds import MB, too_wide
from pipelines.loading.families import Family
from pipelines.loading.files import Found
from pipelines.loading.readers.avro_blocks import NotAvro, Unpacked
from pipelines.room import disk_full, is_disk_full

ROWS_AT_ONCE = 50_000
BYTES_AT_ONCE = 16 * MB
VALUES_AT_ONCE = 2_000_000
# How many values a byte may make: those that take none are for columns that are always empty.
_VALUES_A_BYTE = 100
_SIMPLE = {
    "int": pa.int64(),
    "long": pa.int64(),
    "float": pa.float32(),
    "double": pa.float64(),
    "boolean": pa.bool_(),
}
_LOGICAL = {
    "timestamp-millis": pa.timestamp("us", "UTC"),
    "timestamp-micros": pa.timestamp("us", "UTC"),
    "local-timestamp-millis": pa.timestamp("us"),
    "local-timestamp-micros": pa.timestamp("us"),
    "date": pa.date32(),
}


class _Odd(Exception):
    """A value that no column can hold."""


_ODD = _Odd()


def to_parquet(found: Found, folder: Path) -> Found:
    """`found` as Parquet under the same file name in `folder`.

    Raises:
        NotAvro: it cannot be read whole.
    """
    assert found.path is not None
    _never_fail_on_a_value()
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / found.name
    family = found.kind.family
    try:
        with found.path.open("rb") as handle:
            unpacked = Unpacked(handle)
            records = fastavro.reader(unpacked, handle_unicode_errors="surrogateescape")
            record = records.writer_schema
            if not isinstance(record, dict) or record.get("type") != "record":
                raise NotAvro("it holds no Avro records")
            names = [field["name"] for field in record["fields"]]
            if lacking := what_is_missing(family, names):
                raise NotAvro(lacking)
            _check_finite(record)
            fields = {field["name"]: _arrow_type(field["type"]) for field in record["fields"]}
            schema = pa.schema(list(fields.items()))
            with pq.ParquetWriter(target, schema) as writer:
                for rows in _chunks(records, unpacked, len(names)):
                    # a record has its fields in the order of the schema
                    given = zip(*(row.values() for row in rows), strict=True)
                    columns = [
                        _column(name, kind, values, family)
                        for (name, kind), values in zip(fields.items(), given, strict=True)
                    ]
                    writer.write_table(pa.table(columns, schema=schema))
    except NotAvro:
        raise
    except OSError as error:
        if is_disk_full(error):
            raise disk_full(folder) from error
        raise NotAvro("it cannot be opened") from error
    except Exception as error:  # fastavro raises whatever its decoder meets
        raise NotAvro("it is not a whole Avro file (truncated, damaged or another format)") from (
            error
        )
    return replace(found, path=target)


@cache
def _never_fail_on_a_value() -> None:
    """Make fastavro read a logical value that Python cannot hold as `_ODD`, not as the end."""
    for name, reader in list(LOGICAL_READERS.items()):
        LOGICAL_READERS[name] = _careful(reader)


def _careful(reader: Callable[..., Any]) -> Callable[..., Any]:
    def read(*given: Any) -> Any:
        try:
            return reader(*given)
        except (ArithmeticError, ValueError, TypeError):
            return _ODD

    return read


def _chunks(
    records: Iterator[Any], unpacked: Unpacked, width: int
) -> Iterator[list[dict[str, Any]]]:
    for first in records:
        some = int(min(BYTES_AT_ONCE / max(unpacked.row_size, 1), VALUES_AT_ONCE / max(width, 1)))
        yield [first, *islice(records, min(max(some, 1), ROWS_AT_ONCE) - 1)]


def _check_finite(record: dict[str, Any]) -> None:
    """Refuse types of which a few bytes make any number of values, or any depth."""
    sizes: dict[str, int] = {}
    widths: dict[str, int] = {}

    def width(avro: Any) -> int:
        """The values that a value of the type holds at most, a list being one; see `least`."""
        if isinstance(avro, list):
            return max((width(kind) for kind in avro), default=1)
        if isinstance(avro, str):
            return widths.get(avro, 1)
        return widths.get(avro.get("name", ""), 1)

    def least(avro: Any) -> int:
        """The bytes that a value of the type takes at least."""
        if isinstance(avro, list):
            return 1 + min((least(kind) for kind in avro), default=0)
        if isinstance(avro, str):
            if avro in sizes and sizes[avro] < 0:
                raise NotAvro("its records hold records of their own kind")
            return sizes.get(avro, 0 if avro == "null" else 1)
        kind, name = avro["type"], avro.get("name", "")
        if kind == "array" and not least(avro["items"]):
            raise NotAvro("it has lists of nothing")
        if kind == "map":
            least(avro["values"])
        if kind in ("record", "error"):
            sizes[name] = -1
            sizes[name] = sum([least(field["type"]) for field in avro["fields"]])
            widths[name] = sum([width(field["type"]) for field in avro["fields"]])
            if wide := too_wide(widths[name]):
                raise NotAvro(wide)
            if widths[name] > _VALUES_A_BYTE * max(sizes[name], 1):
                raise NotAvro("it has records of nearly nothing but nothing")
            return sizes[name]
        if kind == "fixed":
            sizes[name] = avro["size"]
            return sizes[name]
        return 1 if kind in ("array", "map", "enum") else least(kind)

    least(record)


def _arrow_type(avro: object) -> pa.DataType:
    """Scalars keep their type; everything else becomes text, JSON where it has parts."""
    if isinstance(avro, list):
        kinds = [kind for kind in avro if kind != "null"]
        return _arrow_type(kinds[0]) if len(kinds) == 1 else pa.string()
    if isinstance(avro, dict):
        logical = avro.get("logicalType", "")
        if logical in _LOGICAL:
            return _LOGICAL[logical]
        if logical == "decimal" and 0 < avro["precision"] <= 38:
            return pa.decimal128(avro["precision"], avro.get("scale", 0))
        if logical or avro["type"] not in ("int", "long", "float", "double", "boolean"):
            return pa.string()
        avro = avro["type"]
    return _SIMPLE.get(str(avro), pa.string())


def _column(name: str, kind: pa.DataType, given: Sequence[Any], family: Family) -> pa.Array:
    try:  # nearly all are what their type says
        return pa.array(given, kind)
    except (pa.ArrowException, OverflowError, UnicodeError):
        pass
    values = [_value(value, kind) for value in given]
    if any(value is _ODD for value in values):
        values = [None if value is _ODD else value for value in values]
        if name.lower() in _must_hold(family):
            raise NotAvro(f"the column `{name}` holds a value that cannot be read")
    try:
        return pa.array(values, kind)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
        # a decimal of more digits than its type says, and the like
        if name.lower() in family.columns:
            raise NotAvro(f"the column `{name}` holds a value that is not of its type") from None
        return pa.array([_alone(value, kind) for value in values], kind)


def _must_hold(family: Family) -> set[str]:
    """The columns in which null would be another answer than the value."""
    return {name for name, kind in family.columns.items() if kind != "timestamp"}


def _alone(value: object, kind: pa.DataType) -> object:
    try:
        pa.array([value], kind)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
        return None
    return value


def _value(value: object, kind: pa.DataType) -> object:
    if value is None or value is _ODD or kind != pa.string():
        return value
    text: str | None = None
    if isinstance(value, str):
        text = value
    elif isinstance(value, bytes):
        text = value.decode(errors="surrogateescape")
    elif isinstance(value, (dict, list, bool)):
        text = json.dumps(value, default=_part, ensure_ascii=False)
    elif not isinstance(value, float):
        text = str(value)
    elif not math.isnan(value):
        # beside text in a union: NaN is missing there too, and 8001.0 the number 8001
        text = str(int(value)) if abs(value) < 2**53 and value.is_integer() else str(value)
    return text if text is None or is_utf8(text) else _ODD


def _part(value: object) -> object:
    """What JSON cannot say by itself."""
    said = _value(value, pa.string())
    return None if said is _ODD else said
