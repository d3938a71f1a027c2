"""Avro to Parquet on the way in: DuckDB's Avro reader is an extension it would have to download."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import fastavro
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.loading.files import Found
from pipelines.opening import disk_full, is_disk_full

ROWS_AT_ONCE = 50_000
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


class NotAvro(Exception):
    """The file cannot be read; the message is a reason for the quarantine."""


def to_parquet(found: Found, folder: Path) -> Found:
    """`found` as Parquet under the same file name in `folder`.

    Raises:
        NotAvro: it cannot be read whole.
    """
    assert found.path is not None
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / found.name
    try:
        with found.path.open("rb") as handle:
            records = fastavro.reader(handle)
            record = records.writer_schema
            if not isinstance(record, dict) or record.get("type") != "record":
                raise NotAvro("it holds no Avro records")
            fields = {field["name"]: _arrow_type(field["type"]) for field in record["fields"]}
            schema = pa.schema(list(fields.items()))
            with pq.ParquetWriter(target, schema) as writer:
                for rows in _chunks(iter(records)):
                    columns = [
                        pa.array([_value(row.get(name), kind) for row in rows], kind)
                        for name, kind in fields.items()
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


def _chunks(records: Iterator[Any]) -> Iterator[list[dict[str, Any]]]:
    while rows := list(islice(records, ROWS_AT_ONCE)):
        yield rows


def _arrow_type(avro: object) -> pa.DataType:
    """Scalars keep their type; everything else becomes JSON text."""
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


def _value(value: object, kind: pa.DataType) -> object:
    if value is None or kind != pa.string() or isinstance(value, str):
        return value
    if isinstance(value, float):
        # beside text in a union: NaN is missing there too, and 8001.0 the number 8001
        if math.isnan(value):
            return None
        return str(int(value)) if abs(value) < 2**53 and value.is_integer() else str(value)
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, (dict, list, bool)):
        return json.dumps(value, default=str, ensure_ascii=False)
    return str(value)
