"""Contract to payload: any value, however hostile, leaves as the contract says."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import duckdb
import pytest
from conftest import PROVE, data_folder
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.heap.payload import (
    Column,
    NumberText,
    cut_sql,
    hash_sql,
    properties_sql,
    read_row,
    text_sql,
    value_hash,
)
from pipelines.sandbox.validation import check_event

EXAMPLES = 1000 if PROVE else 150

TYPES = {
    "text": "VARCHAR",
    "whole": "BIGINT",
    "money": "DECIMAL(18,2)",
    "share": "DOUBLE",
    "is_on": "BOOLEAN",
    "on_day": "DATE",
    "at_time": "TIMESTAMP",
    "many": "VARCHAR[]",
}
COLUMNS = [Column(name, kind) for name, kind in TYPES.items()]

# everything that UTF-8 can hold
texts = st.text(st.characters(codec="utf-8"), max_size=20) | st.builds(
    lambda unit, count: unit * count,
    st.text(st.sampled_from('a☃😀"\\\n\u2028\x00'), min_size=1, max_size=5),
    st.integers(200, 600),
)
rows = st.fixed_dictionaries(
    {
        "text": st.none() | texts,
        "whole": st.none() | st.integers(-(2**63), 2**63 - 1),
        "money": st.none()
        | st.decimals(min_value=-(10**15), max_value=10**15, places=2, allow_nan=False),
        "share": st.none() | st.floats(allow_nan=False, allow_infinity=False),
        "is_on": st.none() | st.booleans(),
        "on_day": st.none() | st.dates(date(1970, 1, 1), date(2200, 1, 1)),
        "at_time": st.none() | st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1)),
        "many": st.none() | st.lists(texts, max_size=4),
    }
)


@pytest.fixture(scope="module")
def db() -> Iterator[duckdb.DuckDBPyConnection]:
    connection = duckdb.connect()
    columns = ", ".join(f"{name} {kind}" for name, kind in TYPES.items())
    connection.execute(f"create table mart ({columns})")
    yield connection
    connection.close()


def render(db: duckdb.DuckDBPyConnection, row: dict[str, Any]) -> tuple[bytes, int]:
    """The properties of one row as they would be sent, and how many values were cut."""
    db.execute("delete from mart")
    db.execute(
        f"insert into mart values ({', '.join('?' for _ in TYPES)})", [row[n] for n in TYPES]
    )
    cuts = " + ".join(
        f"coalesce(cast({c} as integer), 0)" for c in (cut_sql(k, "mart") for k in COLUMNS) if c
    )
    line, cut = db.execute(
        f"select '{{' || {properties_sql(COLUMNS, 'mart')} || '}}', {cuts} from mart"
    ).fetchall()[0]
    return line.encode(), cut


def units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def check(row: dict[str, Any], line: bytes, cut: int) -> None:
    """A rendered row against the contract, independently computed in Python."""
    assert b"\n" not in line
    sent = json.loads(line, parse_float=Decimal)
    assert set(sent) == {name for name, value in row.items() if value is not None}
    expected_cut = 0
    for name, value in row.items():
        if value is None:
            continue
        found = sent[name]
        if name in ("text", "many"):
            whole = "||".join(value) if name == "many" else value
            if units(whole) <= 1023:
                assert found == whole
            else:
                expected_cut += 1
                assert whole.startswith(found)
                assert len(found) >= 511
                assert units(found) <= 1023
        elif name == "whole":
            assert (type(found), found) == (int, value)
        elif name == "money":
            assert Decimal(found) == value
        elif name == "share":
            assert float(found) == value
            assert math.isfinite(float(found))
        elif name == "is_on":
            assert found == ("true" if value else "false")
        elif name == "on_day":
            assert found == value.isoformat()
        else:
            assert found.endswith("Z")
            assert abs((datetime.fromisoformat(found[:-1]) - value).total_seconds()) < 0.001
    assert cut == expected_cut
    event = {"event": "e", "identity": "i", "properties": json.loads(line)}
    assert check_event(event) is None


@settings(max_examples=EXAMPLES, deadline=None)
@given(row=rows)
def test_any_row_leaves_as_the_contract_says(
    db: duckdb.DuckDBPyConnection, row: dict[str, Any]
) -> None:
    line, cut = render(db, row)
    check(row, line, cut)


@settings(max_examples=EXAMPLES, deadline=None)
@given(row=rows)
def test_the_hash_of_the_mart_equals_that_of_the_sent_row(
    db: duckdb.DuckDBPyConnection, row: dict[str, Any]
) -> None:
    line, _ = render(db, row)
    sent = read_row(line)
    for column in COLUMNS:
        (planned,) = db.execute(
            f"select {hash_sql(column, text_sql(column, 'mart'))} from mart"
        ).fetchall()[0]
        if column.name not in sent:
            assert planned is None
            continue
        value = sent[column.name]
        assert planned == value_hash(value, is_number=isinstance(value, NumberText))


def hostile() -> list[str]:
    folder = data_folder()
    path = folder / "hostile" / "blns.json" if folder else None
    if path and path.exists():
        found: list[str] = json.loads(path.read_text())
        return found
    return [
        "",
        "null",
        "\x00",
        "'; drop table mart; --",
        "\ufeff",
        "\U0001d573",
        "\u202e",
        '{"a":1}',
        "\\",
    ]


def test_naughty_strings_leave_unharmed(db: duckdb.DuckDBPyConnection) -> None:
    for text in hostile():
        row = {**dict.fromkeys(TYPES), "text": text, "many": [text, text]}
        line, cut = render(db, row)
        check(row, line, cut)


@pytest.mark.parametrize(
    ("kind", "value", "sent"),
    [
        ("DECIMAL(18,2)", "12.5", 12.5),
        ("DECIMAL(18,2)", "1234567890123456.78", None),
        ("FLOAT", "0.1", 0.1),
        ("HUGEINT", "170141183460469231731687303715884105727", 2**127 - 1),
        ("TIMESTAMP WITH TIME ZONE", "'2026-01-01 12:00:00+02'", "2026-01-01T10:00:00.000Z"),
        ("UUID", "'00000000-0000-0000-0000-000000000001'", "00000000-0000-0000-0000-000000000001"),
        ("INTEGER[]", "[1, 2]", "1||2"),
    ],
)
def test_other_types(kind: str, value: str, sent: object) -> None:
    with duckdb.connect() as db:
        db.execute("set timezone = 'America/New_York'")
        column = Column("x", kind)
        db.execute(f"create table mart as select cast({value} as {kind}) as x")
        line = db.execute(f"select '{{' || {properties_sql([column], 'mart')} || '}}' from mart")
        text = line.fetchall()[0][0]
    if sent is None:
        assert value in text
    else:
        assert json.loads(text) == {"x": sent}
