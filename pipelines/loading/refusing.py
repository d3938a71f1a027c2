"""A refusal: what a cast raises in DuckDB instead of a value, and what it looks at before.

It tells the shape of a value, never the value.
"""

from __future__ import annotations

import re

from pipelines.blanks import trimmed_sql
from pipelines.built.quoting import literal

# Whole numbers below these are all exact; from there on a float may stand for several of them.
HALF = "HALF"
FLOATS = {HALF: 2**11, "FLOAT": 2**24, "DOUBLE": 2**53}

_REFUSED = "no such value: "
_REFUSAL = re.compile(rf"[\w ]+: {_REFUSED}(?P<shape>.*)\|(?P<why>[^|\n]*)")
_SHOWN = 30


def refusal(error: Exception) -> str | None:
    """What a cast found instead of a value of its kind: its shape, never the value.

    None when `error` was not raised by a cast of this module.
    """
    found = _REFUSAL.match(str(error))
    if found is None:
        return None
    shape = found["shape"]
    if re.fullmatch("9{2,}", shape):
        shape = f"{len(shape)} digits, like {shape}"
    elif shape:
        shape = f"like {shape}"
    return "; ".join(part for part in (shape, found["why"]) if part)


def refuse(text: str, why: str = "") -> str:
    """SQL that raises: the shape of `text`, with its letters and digits struck out."""
    digits = f"regexp_replace({text}, '[0-9]', '9', 'g')"
    shape = f"regexp_replace({digits}, '[^ -~]|[A-Za-z]', 'a', 'g')"
    cut = f"left({shape}, {_SHOWN}) || case when length({text}) > {_SHOWN} then '...' else '' end"
    return f"error({literal(_REFUSED)} || {cut} || {literal('|' + why)})"


def nothing_but_null(column: str, why: str) -> str:
    """SQL: a column whose type has no value of the kind may still be empty."""
    return f"case when {column} is not null then {refuse(literal(''), why)} end"


def without_nul(column: str) -> str:
    """SQL: a text in which no NUL stands. Nobody sees one, and to some readers it ends the text."""
    nul = refuse(column, "it holds a NUL")
    return f"case when contains({column}, chr(0)) then {nul} else {column} end"


def is_nan(column: str) -> str:
    """SQL for whether a floating column is NaN.

    Not `isnan`, nor a comparison: DuckDB 2.0 answers those from the smallest and the largest value
    in a Parquet footer, which by its standard leave NaN out.
    """
    return f"(not isfinite({column}) and not isinf({column}))"


def blank(column: str) -> str:
    """SQL for a text without the blanks round it; null where nothing is left."""
    return f"nullif({trimmed_sql(column)}, '')"


def printed(column: str) -> str:
    """SQL for a value as text."""
    return f"cast({column} as varchar)"
