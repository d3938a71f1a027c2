"""Casts from whatever type a file has to the pinned type of a raw column.

Each function takes SQL for a column and the type DuckDB reads it as, and returns SQL. A value that
cannot be read raises in DuckDB, so that its file is quarantined instead of silently losing it.
"""

from __future__ import annotations

from pipelines.loading.families import Kind

_WIDTHS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT")
INTEGERS = frozenset(sign + width for sign in ("", "U") for width in _WIDTHS)
FLOATS = frozenset({"FLOAT", "DOUBLE"})

# The unit of an integer time by its magnitude: seconds up to the year 5138, then milliseconds
# (from 1973), microseconds (from 1973), nanoseconds.
EPOCH_MICROSECONDS = """case
    when abs({number}) < 100000000000 then {number} * 1000000
    when abs({number}) < 100000000000000 then {number} * 1000
    when abs({number}) < 100000000000000000 then {number}
    else {number} // 1000
end"""


def quote(name: str) -> str:
    """A quoted SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A quoted SQL string."""
    return "'" + text.replace("'", "''") + "'"


def is_nested(source: str) -> bool:
    """Whether `source` is a list, struct, map or variant."""
    return source.endswith("]") or source.startswith(("STRUCT", "MAP", "UNION", "VARIANT", "ROW"))


def to_kind(kind: Kind, column: str, source: str) -> str:
    """SQL that reads `column`, of DuckDB type `source`, as `kind`."""
    if source == "BLOB":  # text columns of old writers carry no UTF-8 mark
        column, source = f"decode({column})", "VARCHAR"
    if source == '"NULL"':
        column, source = f"cast({column} as varchar)", "VARCHAR"
    match kind:
        case "text" | "json":
            return to_text(column, source)
        case "bigint":
            return to_bigint(column, source)
        case "bool":
            return to_bool(column, source)
        case "decimal":
            return to_decimal(column, source)
        case "timestamp":
            return to_timestamp(column, source)


def to_text(column: str, source: str) -> str:
    """Lists and structures become JSON text; nothing else changes its spelling."""
    if source == "VARCHAR":
        return column
    if is_nested(source):
        return f"cast(to_json({column}) as varchar)"
    return f"cast({column} as varchar)"


def _blank(column: str) -> str:
    return f"nullif(trim({column}, ' \t\r\n'), '')"


def _whole(column: str) -> str:
    """A floating column of a writer that has no nullable integers: NaN is null, 1.5 is an error."""
    return (
        f"case when {column} is null or isnan({column}) then null when {column} = floor({column})"
        f" then cast({column} as bigint) else error('a fraction where a whole number belongs') end"
    )


def to_bigint(column: str, source: str) -> str:
    """Whole numbers of any width, also as text."""
    if source == "BIGINT":
        return column
    if source in FLOATS:
        return _whole(column)
    if source == "VARCHAR":
        text = _blank(column)
        # cast would round a fraction
        return (
            f"case when {text} is null then null"
            f" when regexp_full_match({text}, '[+-]?[0-9]+') then cast({text} as bigint)"
            f" when regexp_full_match({text}, '[+-]?[0-9]+\\.0*')"
            f" then cast(split_part({text}, '.', 1) as bigint)"
            f" else error('text where a whole number belongs') end"
        )
    return f"cast({column} as bigint)"


def to_bool(column: str, source: str) -> str:
    """Booleans, also as 0 and 1 or as text."""
    if source == "BOOLEAN":
        return column
    if source == "VARCHAR":
        return f"cast({_blank(column)} as boolean)"
    return f"cast({column} as boolean)"


def to_decimal(column: str, source: str) -> str:
    """Money: 18 digits, two after the point."""
    if source in FLOATS:
        column = f"case when isnan({column}) then null else {column} end"
    elif source == "VARCHAR":
        column = _blank(column)
    return f"cast({column} as decimal(18, 2))"


def to_timestamp(column: str, source: str) -> str:
    """An instant in UTC, without zone, whatever the unit, zone or writer."""
    # a cast of a time with a zone goes through the calendar library: twenty times slower
    if source == "TIMESTAMP WITH TIME ZONE":
        column = f"make_timestamp(epoch_us({column}))"
    elif source in ("TIMESTAMP_NS", "TIMESTAMPTZ_NS"):
        column = f"make_timestamp(epoch_ns({column}) // 1000)"
    elif source in INTEGERS or source.startswith("DECIMAL"):
        number = f"cast({column} as bigint)"
        column = f"make_timestamp({EPOCH_MICROSECONDS.format(number=number)})"
    elif source in FLOATS:
        column = f"make_timestamp({_float_epoch(column)})"
    elif source == "VARCHAR":
        column = _time_of_text(_blank(column))
    elif source != "TIMESTAMP":
        column = f"cast({column} as timestamp)"
    return column


def _time_of_text(text: str) -> str:
    """ISO 8601, without a zone taken as UTC; or unix time as text."""
    whole = EPOCH_MICROSECONDS.format(number=f"cast({text} as bigint)")
    fraction = _float_epoch(f"cast({text} as double)")
    return f"""case
        when {text} is null then null
        when regexp_full_match({text}, '-?[0-9]+') then make_timestamp({whole})
        when regexp_full_match({text}, '-?[0-9]+\\.[0-9]+') then make_timestamp({fraction})
        else make_timestamp(epoch_us(cast({text} as timestamp with time zone)))
    end"""


def _float_epoch(column: str) -> str:
    scaled = EPOCH_MICROSECONDS.format(number=column)
    return f"case when isnan({column}) then null else cast(round({scaled}) as bigint) end"
