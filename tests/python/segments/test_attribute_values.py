"""One rule for what is a time: attributes are read as files are."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from types import SimpleNamespace

import duckdb
import jinja2
import pytest
from hypothesis import HealthCheck, example, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from pipelines.loading.casts import to_event_time
from pipelines.settings import PROJECT_DIR


def macro(path: str, **given: object) -> object:
    text = (PROJECT_DIR / "macros" / path).read_text(encoding="utf-8")
    return jinja2.Environment().from_string(text).make_module(given)


def safe_cast_as(expression: str, kind: str) -> str:
    return f"try_cast({expression} as {kind})"


instants = macro(
    "cross_db/instant_of_text.sql", adapter=SimpleNamespace(), safe_cast_as=safe_cast_as
)
attributes = macro(
    "segments/attribute_history.sql",
    instant_of_text=instants.duckdb__instant_of_text,  # type: ignore[attr-defined]
    safe_cast_as=safe_cast_as,
)


def as_attribute(kind: str) -> str:
    return str(attributes.attribute_value_as("text", kind))  # type: ignore[attr-defined]


@pytest.fixture(scope="module")
def db() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        yield connection


def ask(db: duckdb.DuckDBPyConnection, sql: str, text: str | None) -> object:
    return db.execute(f"select {sql} from (select cast(? as varchar) as text)", [text]).fetchall()[
        0
    ][0]


DIGITS = st.integers(1, 2**63 - 1).map(str)
PLAUSIBLE = st.one_of(
    *(
        st.integers(631_000_000 * unit, 1_990_000_000 * unit).map(str)
        for unit in (1, 10**3, 10**6, 10**9)
    )
)
WRITTEN = st.builds(
    "{}{}{}".format,
    st.datetimes(datetime(1985, 1, 1), datetime(2104, 1, 1)).map(
        lambda at: at.isoformat(sep=" " if at.microsecond % 2 else "T")
    ),
    st.sampled_from(["", ".5", ".1234567"]),
    st.sampled_from(["", "Z", "z", " UTC", "+02:00", "-0530", "+14", "+15", " CET", "[UTC]"]),
)
TEXTS = st.one_of(
    DIGITS,
    PLAUSIBLE,
    PLAUSIBLE.map(lambda text: f"{text}.25"),
    WRITTEN,
    st.text("0123456789-:T. +Z", max_size=24),
)


@given(text=TEXTS)
@example(text="20260301")
@example(text="20260301100000")
@example(text="46082.41")
@example(text="26-03-01")
@example(text="infinity")
@example(text="2026-03-01 10:00:00 EST")
@example(text="2026-02-30")
@example(text="2026-03-01T10:00:00+02:00")
@example(text="1772323200.0")
@example(text="-1772323200")
@example(text="1989-12-31T23:59:59.999999")
@example(text="1990-01-01")
@example(text="2099-12-31")
@example(text="2100-01-01")
@example(text="631151999")
@example(text="631152000")
@example(text="1988150399.999999")
@example(text="1988150400")
@example(text="1772323200000000000.5")
@examples(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_an_attribute_is_a_time_when_a_file_would_hold_one(
    db: duckdb.DuckDBPyConnection, text: str
) -> None:
    try:
        in_a_file = ask(db, to_event_time("text", "VARCHAR"), text)
    except duckdb.Error:
        in_a_file = None
    assert ask(db, as_attribute("timestamp"), text) == in_a_file
    if isinstance(in_a_file, datetime):
        assert ask(db, as_attribute("date"), text) == in_a_file.date()


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("1975-04-02", date(1975, 4, 2)),
        ("1900-01-01", date(1900, 1, 1)),
        ("1899-12-31", None),
        ("1975-02-30", None),
        ("1975-04-02T10:00:00", None),
        ("75-04-02", None),
        ("19750402", None),
        ("165628800", None),
        ("", None),
        (None, None),
    ],
)
def test_people_were_born_before_anything_happened(
    db: duckdb.DuckDBPyConnection, text: str | None, day: date | None
) -> None:
    assert ask(db, as_attribute("date"), text) == day
    assert ask(db, as_attribute("timestamp"), text) is None


@pytest.mark.parametrize(
    ("text", "number"),
    [("7.5", 7.5), ("-1e3", -1000.0), ("1.7976931348623157e308", 1.7976931348623157e308)]
    + [(text, None) for text in ("NaN", "nan", "inf", "-Infinity", "1e999", "", "seven", None)],
)
def test_what_is_no_finite_number_is_none(
    db: duckdb.DuckDBPyConnection, text: str | None, number: float | None
) -> None:
    assert ask(db, as_attribute("number"), text) == number
