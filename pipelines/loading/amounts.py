"""An amount: what money is read as, and when its digits are finer than a cent."""

from __future__ import annotations

from pipelines.built.quoting import literal
from pipelines.loading.refusing import (
    FLOATS,
    HALF,
    blank,
    is_nan,
    nothing_but_null,
    printed,
    refuse,
)

_NUMBER = "[+-]?([0-9]+\\.?[0-9]*|\\.[0-9]+)([eE][+-]?[0-9]{1,3})?"
_CENTS = 100
# What sums of floats may miss by, as a share: eight of the last digits of a float in single
# precision, sixty-four of one in double. What is left when prices cancel out may be as large as
# the least of these bounds, and what misses by more than the other could be meant.
_NOISE = {HALF: 0.0, "FLOAT": 2.0**-20, "DOUBLE": 2.0**-46}
_LEAST_NOISE, _MOST_NOISE = 1e-10, 1e-4
_FINER = "it is finer than a cent"


def to_decimal(column: str, source: str, *, rounds: bool = False) -> str:
    """Money: 18 digits, two after the point; finer digits are refused, since a cent is the unit.

    With `rounds` they are rounded half away from zero: for files that cannot be read without a row,
    of which the caller tells the rows that this is true of.

    A float is the number it prints as, or the cents that it misses by no more than arithmetic does
    (`_NOISE`): a sum of prices prints as 19.990000000000002, and a half of a cent as 19.995. Text
    is read likewise, for it may have been printed so. A float so large that its cents are not exact
    is refused.
    """
    if source in FLOATS:
        text = printed(column)
        large = f"abs({column}) >= {FLOATS[source] // _CENTS}"
        return f"""case
            when {is_nan(column)} then null
            when {large} then {refuse(text, "it is a float too large for its cents")}
            else {_cents(text, f"cast({text} as decimal(38, 18))", _NOISE[source], rounds)}
        end"""
    if source == "BOOLEAN":
        return f"cast({nothing_but_null(column, 'it is a truth value')} as decimal(18, 2))"
    if source == "VARCHAR":
        text = blank(column)
        # what has no more digits than cents have needs no second look
        plain = "[+-]?[0-9]*\\.?[0-9]{0,2}0*"
        amount = f"try_cast({text} as decimal(18, 2))"
        return f"""case
            when {text} is null then null
            when not regexp_full_match({text}, {literal(_NUMBER)}) then {refuse(text)}
            when {amount} is null then {refuse(text, "it is too large")}
            when regexp_full_match({text}, {literal(plain)}) then {amount}
            else {_cents(text, f"try_cast({text} as decimal(38, 18))", _NOISE["DOUBLE"], rounds)}
        end"""
    if source.startswith("DECIMAL") and not rounds:
        return f"""case
            when {column} is null or {column} = round({column}, 2)
                then cast({column} as decimal(18, 2))
            else {refuse(printed(column), _FINER)}
        end"""
    return f"cast({column} as decimal(18, 2))"


def _cents(text: str, exact: str, noise: float, rounds: bool) -> str:
    """The amount that `text` spells, in cents; `exact` is the same with all its digits."""
    if rounds:
        return f"cast({text} as decimal(18, 2))"
    return f"""case
        when {_is_finer(text, exact, noise)} then {refuse(text, _FINER)}
        else cast({exact} as decimal(18, 2))
    end"""


def is_finer_than_a_cent(column: str, source: str) -> str:
    """SQL for whether an amount is rounded by `to_decimal`; of what is none, anything but true."""
    if source.startswith("DECIMAL"):
        return f"{column} <> round({column}, 2)"
    if source in FLOATS or source == "VARCHAR":
        text = printed(column) if source in FLOATS else blank(column)
        noise = _NOISE.get(source, _NOISE["DOUBLE"])
        return _is_finer(text, f"try_cast({text} as decimal(38, 18))", noise)
    return "false"


def _is_finer(text: str, exact: str, noise: float) -> str:
    missed = f"abs(cast({exact} - try_cast({exact} as decimal(18, 2)) as double))"
    share = f"{noise} * abs(try_cast({text} as double))"
    return f"{missed} > least({_MOST_NOISE}, greatest({_LEAST_NOISE}, {share}))"
