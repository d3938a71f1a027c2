"""Casts from whatever type a file has to the pinned type of a raw column.

Each function takes SQL for a column and the type DuckDB reads it as, and returns SQL. A value is
read as exactly what it says, or it raises in DuckDB, so that its file is quarantined: nothing is
guessed, and no value becomes another one. NaN is how a writer without nullable types says missing,
so it is null in every kind.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from pipelines.built.quoting import literal
from pipelines.loading.amounts import to_decimal
from pipelines.loading.families import Kind
from pipelines.loading.refusing import (
    FLOATS,
    blank,
    is_nan,
    nothing_but_null,
    printed,
    refuse,
    without_nul,
)

_WIDTHS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT")
INTEGERS = frozenset(sign + width for sign in ("", "U") for width in _WIDTHS)
# The type that casts give to a value of a JSON line, which has a type of its own.
JSON = "JSON"
# The type that casts give to a cell of a CSV, which has none: its text may spell a number.
CELL = "CELL"

# The years in which something can have happened: before them nobody wrote down such events, and
# behind them lie the "never" of other systems and the overflows of their clocks.
FIRST_YEAR, LAST_YEAR = 1990, 2099
# A bare number must say less to be a time. From 2033 on, ten digits of unix time may as well be a
# date and an hour (2026030110) or a short year with minutes (2603011000).
LAST_UNIX_YEAR = 2032
# How writers say that a time is not known: the zero of Customer.io's clock, and that of its
# language.
UNKNOWN_TIMES = ("1970-01-01", "0001-01-01")

_TIME = (
    "[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
    "([Tt ]([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\\.[0-9]+)?)?"
    "([Zz]| UTC|[+-](0[0-9]|1[0-4])(:?[0-5][0-9])?)?)?"
)
_UNKNOWN_TIME = f"({'|'.join(UNKNOWN_TIMES)})([Tt ]00:00(:00(\\.0+)?)?([Zz]| UTC|[+-]00(:?00)?)?)?"


def is_nested(source: str) -> bool:
    """Whether `source` is a list, struct, map or variant."""
    return source.endswith("]") or source.startswith(("STRUCT", "MAP", "UNION", "VARIANT", "ROW"))


def to_kind(kind: Kind, column: str, source: str) -> str:
    """SQL that reads `column`, of DuckDB type `source`, JSON or CELL, as `kind`."""
    if source == "BLOB":  # text columns of old writers carry no UTF-8 mark
        column, source = f"decode({column})", "VARCHAR"
    if source == '"NULL"':
        column, source = f"cast({column} as varchar)", "VARCHAR"
    if source == JSON:
        return _of_json(kind, column)
    if source == CELL:
        if kind == "id":
            return _id_of_cell(column)
        source = "VARCHAR"
    return _CASTS[kind](column, source)


def _of_json(kind: Kind, column: str) -> str:
    """A value of a JSON line. Text is read as text of that kind, and so is a whole number.

    Any other number was a double once it was parsed, and is read as one.
    """
    text = f"json_extract_string({column}, '$')"
    number = f"cast({text} as double)"
    match kind:
        case "json":  # some writers put an object into a text
            inside = f"case when json_valid({text}) then json_type({text}) end"
            return f"""case
                when json_type({column}) = 'VARCHAR' and {inside} in ('OBJECT', 'ARRAY') then {text}
                else {printed(column)}
            end"""
        case "text":  # some writers spell a missing number so
            nan = f"{text} = 'NaN' and json_type({column}) = 'DOUBLE'"
            return f"case when {nan} then null else {text} end"
        case "word":
            return f"""case
                when json_type({column}) in ('OBJECT', 'ARRAY', 'BOOLEAN')
                    then {refuse(literal(""), "it is no text")}
                else {without_nul(_of_json("text", column))}
            end"""
        case "id":
            # digits beyond any integer type are kept as they were written, and typed DOUBLE
            return f"""case
                when json_type({column}) in ('VARCHAR', 'UBIGINT', 'BIGINT')
                    then {without_nul(text)}
                when json_type({column}) = 'NULL' then null
                when json_type({column}) <> 'DOUBLE' then {refuse(literal(""), "it is no text")}
                when regexp_full_match({text}, '-?[0-9]+') then {text}
                else {to_id(number, "DOUBLE")}
            end"""
    of_number = to_kind(kind, number, "DOUBLE")
    return f"""case
        when json_type({column}) = 'DOUBLE' then {of_number}
        else {to_kind(kind, text, "VARCHAR")}
    end"""


def to_text(column: str, source: str) -> str:
    """Lists and structures become JSON text; nothing else changes its spelling."""
    if source == "VARCHAR":
        return column
    if is_nested(source):
        return f"cast(to_json({column}) as varchar)"
    if source in FLOATS:
        return f"case when {is_nan(column)} then null else {printed(column)} end"
    return printed(column)


def to_word(column: str, source: str) -> str:
    """Text that names something: a truth value and a list are none, nor is what holds a NUL."""
    if source == "VARCHAR":
        return without_nul(column)
    if source == "BOOLEAN" or is_nested(source):
        kind = "a truth value" if source == "BOOLEAN" else "a list or structure"
        return f"cast({nothing_but_null(column, f'it is {kind}')} as varchar)"
    return to_text(column, source)


def to_id(column: str, source: str) -> str:
    """An identifier: text as it is written, and a whole number by its digits, whatever its type.

    `8001`, `8001.0` and `8001.00` are one number, so one identifier. A fraction, a float too large
    to be exact, a truth value and a list are none.
    """
    if source in ("VARCHAR", "BOOLEAN") or is_nested(source):
        return to_word(column, source)
    if source in FLOATS:
        return printed(_whole(column, source))
    if source.startswith("DECIMAL"):
        return printed(_whole_decimal(column, "decimal(38, 0)"))
    return printed(column)


def _id_of_cell(column: str) -> str:
    """An id in a CSV: its text, but for what a writer makes of ids that it holds as floats.

    `8001.0` is the number 8001; in `1.23457E+15` digits were cut. Java and Spark write no plus, and
    write `1.2345678E7` from ten millions on.
    """
    text = blank(column)
    whole = f"split_part({text}, '.', 1)"
    exact = f"abs(cast({whole} as hugeint)) < {FLOATS['DOUBLE']}"
    return rf"""case
        when regexp_full_match({text}, '-?(0|[1-9][0-9]{{0,29}})\.0+') then case
            when {exact} then {whole} else {refuse(text, "it is a float too large to be exact")}
        end
        when regexp_full_match({text}, '-?[0-9](\.[0-9]+[eE]\+?|[eE]\+)[0-9]{{1,3}}')
            then {refuse(text, "its digits were cut")}
        else {without_nul(column)}
    end"""


def _whole(column: str, source: str) -> str:
    return f"""case
        when {is_nan(column)} then null
        when abs({column}) < {FLOATS[source]} and {column} = floor({column})
            then cast({column} as bigint)
        when abs({column}) < {FLOATS[source]}
            then {refuse(printed(column), "it has a fraction")}
        when {column} is not null
            then {refuse(literal(""), "it is a float too large to be exact")}
    end"""


def _whole_decimal(column: str, kind: str) -> str:
    fraction = refuse(printed(column), "it has a fraction")
    return f"case when {column} = floor({column}) then cast({column} as {kind})" + (
        f" when {column} is not null then {fraction} end"
    )


def to_bigint(column: str, source: str) -> str:
    """Whole numbers of any width, also as text."""
    if source == "BIGINT":
        return column
    if source == "BOOLEAN":
        return f"cast({nothing_but_null(column, 'it is a truth value')} as bigint)"
    if source in FLOATS:
        return _whole(column, source)
    if source.startswith("DECIMAL"):
        return _whole_decimal(column, "bigint")
    if source == "VARCHAR":
        text = blank(column)
        # a cast would round a fraction
        return f"""case
            when {text} is null then null
            when regexp_full_match({text}, '[+-]?[0-9]+(\\.0*)?') then coalesce(
                try_cast(split_part({text}, '.', 1) as bigint), {refuse(text, "it is too large")}
            )
            else {refuse(text)}
        end"""
    return f"cast({column} as bigint)"


def to_bool(column: str, source: str) -> str:
    """Booleans, also as 0 and 1, or as true, t, yes, y and their opposites in any case."""
    if source == "BOOLEAN":
        return column
    if source in INTEGERS or source in FLOATS or source.startswith("DECIMAL"):
        missing = is_nan(column) if source in FLOATS else f"{column} is null"
        yes, no, text = f"{column} = 1", f"{column} = 0", printed(column)
    elif source == "VARCHAR":
        text = blank(column)
        missing = f"{text} is null"
        yes = f"lower({text}) in ('true', 't', 'yes', 'y', '1')"
        no = f"lower({text}) in ('false', 'f', 'no', 'n', '0')"
    else:
        return f"cast({column} as boolean)"
    return f"""case
        when {missing} then null
        when {yes} then true
        when {no} then false
        when {text} is not null then {refuse(text)}
    end"""


def to_event_time(column: str, source: str) -> str:
    """When something happened: a time (see `to_timestamp`) that is known."""
    return to_timestamp(column, source, may_be_unknown=False)


def to_timestamp(column: str, source: str, *, may_be_unknown: bool = True) -> str:
    """An instant in UTC, without zone, whatever the unit, zone or writer.

    As text: ISO 8601, `2026-03-01`, `2026-03-01T10:00`, `2026-03-01 10:00:30.25`, with a space or a
    T, then nothing (UTC), `Z`, ` UTC` or an offset (`+02:00`, `+0200`, `+02`). A day alone is its
    midnight. Digits beyond the microsecond are cut off. 24:00, the leap second 60, short years,
    twelve-hour clocks, names of zones, `infinity` and other words are refused.

    As number: unix seconds, milliseconds, microseconds or nanoseconds, where that is an instant
    from FIRST_YEAR to LAST_UNIX_YEAR; no number is one in two units. Others are refused.

    Any instant must lie between FIRST_YEAR and LAST_YEAR. With `may_be_unknown`, midnight of one of
    UNKNOWN_TIMES, or the number 0, also stands.
    """
    if source == "VARCHAR" or source.startswith("DECIMAL"):
        text = blank(column) if source == "VARCHAR" else printed(column)
        return _time_of_text(text, may_be_unknown)
    if source in INTEGERS:
        return _time_of_number(column, printed(column), may_be_unknown)
    if source in FLOATS:
        number = _time_of_number(column, printed(column), may_be_unknown, FLOATS[source])
        return f"case when {is_nan(column)} then null else {number} end"
    zoned = source == "TIMESTAMP WITH TIME ZONE" or source.startswith("TIMESTAMPTZ")
    # a cast of a time with a zone goes through the calendar library: twenty times slower
    if source.endswith("_NS"):
        instant = f"make_timestamp(epoch_ns({column}) // 1000)"
    elif zoned:
        instant = f"make_timestamp(epoch_us({column}))"
    elif source == "TIMESTAMP":
        instant = column
    else:
        instant = f"cast({column} as timestamp)"
    if not source.startswith(("TIMESTAMP", "DATE")):
        return instant

    def day(written: str) -> str:
        return f"cast('{written}{' 00:00:00+00' if zoned else ''}' as {source})"

    first, end = day(f"{FIRST_YEAR}-01-01"), day(f"{LAST_YEAR + 1}-01-01")
    allowed = f"{column} >= {first} and {column} < {end}"
    if may_be_unknown:
        # nanoseconds cannot say the year 1
        known = UNKNOWN_TIMES[:1] if source.endswith("_NS") else UNKNOWN_TIMES
        allowed += f" or {column} in ({', '.join(day(written) for written in known)})"
    refused = refuse(literal(""), _outside(LAST_YEAR))
    return f"case when {allowed} then {instant} when {column} is not null then {refused} end"


def _outside(last: int) -> str:
    return f"it is not between the years {FIRST_YEAR} and {last}"


def _time_of_text(text: str, may_be_unknown: bool) -> str:
    # DuckDB wants capitals
    instant = f"make_timestamp(epoch_us(try_cast(upper({text}) as timestamp with time zone)))"
    whole = f"cast({text} as hugeint)"
    fraction = f"cast({text} as decimal(38, 9))"
    unknown = (
        f"""when regexp_full_match({text}, {literal(_UNKNOWN_TIME)}) then {instant}
        when regexp_full_match({text}, '0(\\.0*)?') then make_timestamp(0)"""
        if may_be_unknown
        else ""
    )
    return f"""case
        when {text} is null then null
        when regexp_full_match({text}, {literal(_TIME)})
            and left({text}, 4) between '{FIRST_YEAR}' and '{LAST_YEAR}'
            then coalesce({instant}, {refuse(text)})
        {unknown}
        when regexp_full_match({text}, '[1-9][0-9]{{0,18}}')
            then {_time_of_number(whole, text, may_be_unknown)}
        when regexp_full_match({text}, '[1-9][0-9]{{0,18}}\\.[0-9]{{0,9}}')
            then {_time_of_number(fraction, text, may_be_unknown, FLOATS["DOUBLE"])}
        when regexp_full_match({text}, {literal(_TIME)}) then {refuse(text, _outside(LAST_YEAR))}
        else {refuse(text)}
    end"""


def _time_of_number(number: str, text: str, may_be_unknown: bool, limit: int = 0) -> str:
    """Unix time, in the one unit in which it is plausible.

    `number` is whole, or below `limit`, where floats and decimals are exact; `text` spells it.
    """
    first, last = (
        int(datetime(year, 1, 1, tzinfo=UTC).timestamp())
        for year in (FIRST_YEAR, LAST_UNIX_YEAR + 1)
    )
    # a fraction by its digits: as a float, a million times it would be rounded
    exact = f"cast({text} as decimal(38, 9))" if limit else f"cast({number} as bigint)"
    branches = []
    for unit in (1, 1000, 10**6, 10**9):
        if limit and last * unit > limit:
            break
        instant = f"{exact} * {10**6 // unit}" if unit <= 10**6 else f"{exact} // {unit // 10**6}"
        if limit:
            instant = f"cast(floor({instant}) as bigint)"
        branches.append(
            f"when {number} >= {first * unit} and {number} < {last * unit}"
            f" then make_timestamp({instant})"
        )
    if may_be_unknown:
        branches.append(f"when {number} = 0 then make_timestamp(0)")
    refused = refuse(text, f"as unix time {_outside(LAST_UNIX_YEAR)}")
    return f"case {' '.join(branches)} when {number} is not null then {refused} end"


_CASTS: dict[Kind, Callable[[str, str], str]] = {
    "text": to_text,
    "word": to_word,
    "json": to_text,
    "id": to_id,
    "bigint": to_bigint,
    "bool": to_bool,
    "decimal": to_decimal,
    "timestamp": to_timestamp,
    "event_time": to_event_time,
}
