"""How a column becomes a Heap property: one SQL expression per column type.

The rules are the last section of the contract: null left out, booleans as `"true"` and `"false"`,
dates in ISO 8601, numbers stay numbers, lists joined with `||`, nothing over 1,023 characters.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from typing import Any, Literal

from pipelines.built.quoting import quoted
from pipelines.errors import CounterfoilError
from pipelines.heap.limits import MAX_TEXT

WireType = Literal["text", "number", "boolean"]

_INTEGERS = {
    "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT",
    "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT",
}  # fmt: skip
_FLOATS = {"FLOAT", "DOUBLE"}
_PLAIN_TEXT = {"VARCHAR", "UUID", "TIME"}
_SUPPLEMENTARY = r"[^\x{10000}-\x{10FFFF}]"


@dataclass(frozen=True)
class Column:
    """One contracted column of a Heap model, with the DuckDB type it has in the warehouse."""

    name: str
    data_type: str

    @property
    def wire_type(self) -> WireType:
        """What Heap will hold for ever under this name."""
        if self.data_type == "BOOLEAN":
            return "boolean"
        is_number = self.data_type in _INTEGERS | _FLOATS or self.data_type.startswith("DECIMAL")
        return "number" if is_number else "text"


def text_sql(column: Column, table: str) -> str:
    """SQL for the value as sent, as text without quotes; null when the property is left out."""
    value = f"{table}.{quoted(column.name)}"
    kind = column.data_type
    if kind == "BOOLEAN":
        return f"case when {value} then 'true' when not {value} then 'false' end"
    if column.wire_type == "number":
        return f"cast({value} as varchar)"
    if kind == "DATE":
        return f"strftime({value}, '%Y-%m-%d')"
    if kind.startswith("TIMESTAMP"):
        return instant_sql(value, kind)
    if kind.endswith("[]") and not kind.startswith("STRUCT"):
        return _capped(f"array_to_string({value}, '||')")
    if kind in _PLAIN_TEXT or kind.startswith("ENUM"):
        return _capped(f"cast({value} as varchar)")
    raise CounterfoilError(
        f"The property {column.name} has the type {kind}, which Heap cannot hold: "
        "cast it to text, a number, a boolean, a date or a timestamp in its model."
    )


def instant_sql(value: str, data_type: str) -> str:
    """SQL for an instant in ISO 8601, UTC, milliseconds, with `Z`."""
    utc = f"timezone('UTC', {value})" if data_type.endswith("WITH TIME ZONE") else value
    return f"strftime(cast({utc} as timestamp), '%Y-%m-%dT%H:%M:%S.%gZ')"


def json_sql(column: Column, text: str) -> str:
    """SQL for the JSON form of a value that `text_sql` rendered."""
    return text if column.wire_type == "number" else f"cast(to_json({text}) as varchar)"


def hash_sql(column: Column, text: str) -> str:
    """SQL for the value's hash; `value_hash` computes the same from a rendered row."""
    return f"md5('{'n' if column.wire_type == 'number' else 't'}:' || {text})"


def value_hash(text: str, *, is_number: bool) -> str:
    """The hash of a value as sent (32 hex digits), equal to that of `hash_sql`."""
    kind = "n" if is_number else "t"
    return hashlib.md5(f"{kind}:{text}".encode(), usedforsecurity=False).hexdigest()


def fault_sql(column: Column, table: str) -> str | None:
    """SQL that names the fault of a value Heap could not hold; None when none can occur."""
    value = f"{table}.{quoted(column.name)}"
    if column.data_type in _FLOATS:
        return f"case when not isfinite({value}) then 'type: {column.name} is not finite' end"
    if column.data_type == "DATE" or column.data_type.startswith("TIMESTAMP"):
        return f"case when not isfinite({value}) then 'type: {column.name} has no date' end"
    return None


def cut_sql(column: Column, table: str) -> str | None:
    """SQL that is true when a text value is longer than Heap allows; None for other types."""
    kind = column.data_type
    value = f"{table}.{quoted(column.name)}"
    if kind == "VARCHAR":
        return f"{_units(value)} > {MAX_TEXT}"
    if kind.endswith("[]"):
        joined = f"array_to_string({value}, '||')"
        return f"{_units(joined)} > {MAX_TEXT}"
    return None


def properties_sql(columns: list[Column], table: str, *, first: str | None = None) -> str:
    """SQL for the inside of a JSON object: `"name":value` joined by commas, nulls left out.

    `first` is an SQL expression that always stands in front (the publish key of an event).
    """
    parts = [first] if first else []
    for column in columns:
        # to_json of null is null here, and concat_ws leaves nulls out
        parts.append(f"'{json.dumps(column.name)}:' || {json_sql(column, text_sql(column, table))}")
    return f"concat_ws(',', {', '.join(parts)})"


class NumberText(str):
    """A JSON number kept as it was written, so that its hash does not depend on floats."""

    __slots__ = ()


def read_row(line: bytes) -> dict[str, Any]:
    """A rendered row as a dict; numbers keep their text (`NumberText`)."""
    row: dict[str, Any] = _DECODER.decode(line.decode())
    return row


_DECODER = json.JSONDecoder(parse_float=NumberText, parse_int=NumberText)


def snake_case(name: str) -> bool:
    """Whether a name is lower snake_case."""
    return re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", name) is not None


def _units(text: str) -> str:
    # Heap's own clients count UTF-16 units, in which a character beyond the basic plane counts
    # twice. Such a character is four bytes long, so short texts and pure ASCII need no closer look.
    extra = f"length(regexp_replace({text}, '{_SUPPLEMENTARY}', '', 'g'))"
    return (
        f"case when strlen({text}) <= {MAX_TEXT} then 0 "
        f"when strlen({text}) = length({text}) then length({text}) "
        f"else length({text}) + {extra} end"
    )


def _capped(text: str) -> str:
    head = f"left({text}, {MAX_TEXT})"
    extra = f"length(regexp_replace({head}, '{_SUPPLEMENTARY}', '', 'g'))"
    return (
        f"case when {_units(text)} <= {MAX_TEXT} then {text} "
        f"else left({text}, greatest({MAX_TEXT // 2}, {MAX_TEXT} - {extra})) end"
    )
