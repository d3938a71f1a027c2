"""Values: each is read as exactly what it says, whatever carries it, or refused by name."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path, PurePosixPath
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import PROVE
from hypothesis import given, settings
from hypothesis import strategies as st
from test_load import NOON, load, metrics, metrics_file, rows, write

from pipelines.loading.files import Found
from pipelines.loading.handover import Road
from pipelines.loading.raw import Connection
from pipelines.loading.reading import culprits, prepare
from pipelines.loading.sources.behavior import recognise
from pipelines.paths import plain_paths
from pipelines.registries import OURS

NAN, INFINITE = float("nan"), float("inf")
EVENT = {"event_id": "e", "email": "a@example.com", "event_name": "x", "occurred_at": NOON}
TOO_MANY = " (more than one line in 10 is bad)"
many = settings(max_examples=400 if PROVE else 12, deadline=None, derandomize=not PROVE)


@pytest.fixture(scope="module")
def connection() -> Iterator[Connection]:
    """As `raw.opened` sets it up, without a file."""
    with duckdb.connect() as opened:
        opened.execute("set global TimeZone = 'UTC'")
        yield opened


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("values")


def read(connection: Connection, path: Path, column: str) -> list[Any] | str:
    """What a behavior file holds in `column`, or the reason of its quarantine."""
    kind = recognise(PurePosixPath(path))
    assert kind is not None
    found = Found(str(path), path.name, kind, path.stat().st_size, "", None, path)
    with plain_paths() as plain:
        reading = prepare(connection, [found], path.parent / "scratch", plain)
        if reading.rejected:
            return reading.rejected[0][1]
        [batch] = reading.batches
        try:
            return [row[0] for row in connection.execute(batch.select([column])).fetchall()]
        except duckdb.Error:
            [(_, reason)] = culprits(connection, batch)
            return reason


def in_parquet(
    connection: Connection, folder: Path, column: str, values: pa.Array, **options: Any
) -> list[Any] | str:
    table = {name: [value] * len(values) for name, value in EVENT.items()} | {column: values}
    path = folder / "behavior.parquet"
    pq.write_table(pa.table(table), path, **options)
    return read(connection, path, column)


def in_json(connection: Connection, folder: Path, column: str, token: str) -> list[Any] | str:
    """`token` is written as it is."""
    event = {name: value for name, value in EVENT.items() if name != column}
    event["occurred_at"] = NOON.isoformat()
    if column == "occurred_at":
        del event["occurred_at"]
    path = folder / "behavior.jsonl"
    path.write_text(json.dumps(event)[:-1] + f', "{column}": {token}}}\n')
    return read(connection, path, column)


def in_csv(connection: Connection, folder: Path, column: str, *texts: str) -> list[Any] | str:
    path = folder / "behavior.csv"
    with path.open("w", newline="") as handle:
        lines = csv.DictWriter(handle, list(EVENT | {column: ""}))
        lines.writeheader()
        for text in texts:
            lines.writerow(EVENT | {"occurred_at": NOON.isoformat(), column: text})
    return read(connection, path, column)


# ---------------------------------------------------------------- identifiers


@many
@given(number=st.integers(-(2**63), 2**63 - 1) | st.integers(-20_000_000, 20_000_000))
def test_a_whole_number_is_one_id_in_every_type(
    connection: Connection, folder: Path, number: int
) -> None:
    text = str(number)

    def parquet(values: list[Any], kind: pa.DataType) -> list[Any] | str:
        return in_parquet(connection, folder, "customer_id", pa.array(values, kind))

    assert parquet([number], pa.int64()) == [text]
    assert parquet([Decimal(number)], pa.decimal128(38, 0)) == [text]
    assert parquet([Decimal(number)], pa.decimal128(30, 2)) == [text]
    assert parquet([text], pa.string()) == [text]
    assert in_csv(connection, folder, "customer_id", text) == [text]
    assert in_json(connection, folder, "customer_id", text) == [text]
    assert in_json(connection, folder, "customer_id", f'"{text}"') == [text]
    for kind, limit in ((pa.float64(), 2**53), (pa.float32(), 2**24)):
        got = parquet([float(number)], kind)
        if abs(number) < limit:
            assert got == [text]
        else:  # another number may have stood there
            assert got == (
                "the column `customer_id` holds a value that is not an id"
                " (it is a float too large to be exact)"
            )
    got = in_json(connection, folder, "customer_id", f"{number}.0")
    assert got == [text] if abs(number) < 2**53 else "too large to be exact" in got
    if abs(number) < 2**31:
        assert parquet([number], pa.int32()) == [text]


def test_what_is_no_id_is_refused_and_what_is_text_stays(
    connection: Connection, folder: Path
) -> None:
    def parquet(values: Sequence[Any], kind: pa.DataType | None = None) -> list[Any] | str:
        return in_parquet(connection, folder, "customer_id", pa.array(values, kind))

    assert parquet([8001.0, NAN, None, -0.0]) == ["8001", None, None, "0"]
    assert parquet(["8001.0", "nan", "007", " 7 "]) == ["8001.0", "nan", "007", " 7 "]
    assert parquet([None, None], pa.bool_()) == [None, None]
    assert parquet([b"abc"]) == ["abc"]
    for values, why in (
        ([8001.5], "(like 9999.9; it has a fraction)"),
        ([INFINITE], "(it is a float too large to be exact)"),
        ([Decimal("8001.50")], "(like 9999.99; it has a fraction)"),
        ([True], "(it is a truth value)"),
        ([["8001"]], "(it is a list or structure)"),
        ([{"id": 8001}], "(it is a list or structure)"),
    ):
        assert parquet(values) == f"the column `customer_id` holds a value that is not an id {why}"
    for token, text in (
        ("1e3", "1000"),
        ("-0.0", "0"),
        ("NaN", None),
        ("null", None),
        ('"8001.0"', "8001.0"),
        ('"NaN"', "NaN"),
        ("9007199254740993", "9007199254740993"),
        ("123456789012345678901234567890", "123456789012345678901234567890"),
    ):
        assert in_json(connection, folder, "customer_id", token) == [text], token
    for token in ("8001.5", "9007199254740993.0", "1E400", "Infinity", "true", "[1]", '{"a": 1}'):
        got = in_json(connection, folder, "customer_id", token)
        assert "line 1: the column `customer_id` holds a value that is not an id" in got, token


def test_a_cell_that_spells_an_id_as_a_float_is_that_id_or_refused(
    connection: Connection, folder: Path
) -> None:
    """Writers that hold missing ids hold all of them as floats; a CSV does not say so."""
    for text, expected in (
        ("8001.0", "8001"),
        ("8001.00", "8001"),
        ("-7.0", "-7"),
        (f"{2**53 - 1}.0", str(2**53 - 1)),
        ("8001", "8001"),
        ("007.0", "007.0"),
        ("8001.5", "8001.5"),
        ("1.2.0", "1.2.0"),
        ("v8001.0", "v8001.0"),
        ("12e34567", "12e34567"),
        ("1e5", "1e5"),
        ("4E7", "4E7"),
        ("9007199254740993", "9007199254740993"),
    ):
        assert in_csv(connection, folder, "customer_id", text) == [expected], text
    for text, why in (
        (f"{2**53}.0", "it is a float too large to be exact"),
        ("1.23457E+15", "its digits were cut"),
        ("1e+16", "its digits were cut"),
        ("1.2345678E7", "its digits were cut"),
        ("1.0E7", "its digits were cut"),
    ):
        got = in_csv(connection, folder, "customer_id", text)
        assert "line 2: the column `customer_id` holds a value that is not an id" in got
        assert why in got
    # a text is what somebody wrote as a text
    assert in_csv(connection, folder, "category", "8001.0", "1e+16") == ["8001.0", "1e+16"]
    assert in_json(connection, folder, "customer_id", '"8001.0"') == ["8001.0"]


def test_half_precision_is_exact_below_two_thousand(connection: Connection, folder: Path) -> None:
    def half(column: str, *values: float) -> list[Any] | str:
        return in_parquet(connection, folder, column, pa.array(values).cast(pa.float16()))

    assert half("customer_id", 2047.0, NAN, -0.0) == ["2047", None, "0"]
    for values in ((8001.0,), (2048.0,)):  # 8001 and 8002 are both written as 8000
        assert "it is a float too large to be exact" in half("customer_id", *values)
    assert half("value", 0.5, NAN) == [Decimal("0.50"), None]
    assert "not a time" in half("occurred_at", 2000.0)


def test_numbers_that_are_no_ids_keep_their_spelling(connection: Connection, folder: Path) -> None:
    numbers = pa.array([1.5, 8001.0, NAN])
    for column in ("category", "score"):  # known, and unknown
        assert in_parquet(connection, folder, column, numbers) == ["1.5", "8001.0", None]
        assert in_json(connection, folder, column, "8001.0") == ["8001.0"]
        assert in_json(connection, folder, column, "NaN") == [None]


@many
@given(
    around=st.tuples(st.text("ab\u00a0", max_size=3), st.text("ab\u00a0", max_size=3)),
    column=st.sampled_from(["event_id", "customer_id", "product_id", "email", "event_name"]),
)
def test_a_nul_is_part_of_no_name(
    connection: Connection, folder: Path, around: tuple[str, str], column: str
) -> None:
    text = "\0".join(around)
    for got in (
        in_parquet(connection, folder, column, pa.array([text])),
        in_parquet(connection, folder, column, pa.array([text.encode()])),
        in_json(connection, folder, column, json.dumps(text)),
        in_csv(connection, folder, column, text),
    ):
        assert f"the column `{column}` holds a value that is not " in got
        assert "it holds a NUL" in got


def test_one_name_in_two_spellings_holds_one_value(connection: Connection, folder: Path) -> None:
    names = ["event_id", "email", "event_name", "occurred_at", "value", "Value"]
    columns = [pa.array([text] * 2) for text in ("e", "a@example.com", "x", "2026-03-01")]
    amounts = [pa.array([1.5, None]), pa.array([None, 2.5])]
    path = folder / "behavior_spelt.parquet"
    pq.write_table(pa.Table.from_arrays([*columns, *amounts], names), path)
    assert read(connection, path, "value") == "it has the column `value` twice"


def test_a_missing_number_written_as_text_is_nobody() -> None:
    with (OURS / "identity_placeholders.csv").open(newline="") as handle:
        words = {
            word for row in csv.DictReader(handle) for word in row["placeholder_values"].split("|")
        }
    # as pandas, spreadsheets and databases spell it
    assert words >= {"nan", "nat", "<na>", "none", "null", "(null)", "#n/a"}


def test_ids_in_avro_are_those_of_any_other_file(tmp_path: Path) -> None:
    import fastavro

    decimal = {"type": "bytes", "logicalType": "decimal", "precision": 20, "scale": 2}
    kinds: list[Any] = ["double", "float", decimal, ["null", "double"], ["string", "double"]]
    for number, kind in enumerate(kinds):
        schema = {
            "type": "record",
            "name": "users",
            "fields": [{"name": "user_id", "type": "long"}, {"name": "identity", "type": kind}],
        }
        identity = Decimal("8001.00") if kind is decimal else 8001.0
        path = tmp_path / "export/heap" / f"users_{number}.avro"
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as handle:
            fastavro.writer(handle, schema, [{"user_id": number, "identity": identity}])
            if kind is not decimal:
                handle.seek(0)
                fastavro.writer(
                    handle,
                    schema,
                    [
                        {"user_id": number, "identity": identity},
                        {"user_id": number, "identity": NAN},
                    ],
                )
    assert load(tmp_path / "home", tmp_path / "export").quarantined == []
    got = rows(tmp_path / "home", "select identity, count(*) from heap_connect.users group by all")
    assert sorted(got, key=str) == [("8001", 5), (None, 4)]


# ---------------------------------------------------------------- NaN


@many
@given(
    values=st.lists(st.sampled_from([0.0, 1.0, 7.0, NAN, None]), min_size=1, max_size=6),
    options=st.sampled_from(
        [{}, {"row_group_size": 2}, {"use_dictionary": False}, {"write_statistics": False}]
    ),
    kind=st.sampled_from([pa.float32(), pa.float64()]),
)
def test_nan_is_missing_whatever_a_footer_says(
    connection: Connection,
    folder: Path,
    values: list[float | None],
    options: dict[str, Any],
    kind: pa.DataType,
) -> None:
    """Footers count no NaN, so the smallest and the largest value prove nothing about it."""
    known = [None if value is None or math.isnan(value) else value for value in values]
    flags = [value if value != 7.0 else 1.0 for value in values]
    texts = {column: None if value is None else str(value) for column, value in enumerate(known)}
    columns = {
        "customer_id": pa.array(values, kind),
        "category": pa.array(values, kind),
        "value": pa.array(values, kind),
        "score": pa.array(values, kind),
    }
    expected: dict[str, list[Any]] = {
        "customer_id": [None if value is None else str(int(value)) for value in known],
        "category": list(texts.values()),
        "value": [None if value is None else Decimal(value) for value in known],
        "score": list(texts.values()),
    }
    for column, array in columns.items():
        assert in_parquet(connection, folder, column, array, **options) == expected[column]
    times = [None if value is None else value + 1767225600.0 for value in flags]
    got = in_parquet(connection, folder, "occurred_at", pa.array(times, pa.float64()), **options)
    assert got == [
        None if value is None else datetime(2026, 1, 1) + timedelta(seconds=min(value, 1.0))
        for value in known
    ]


@pytest.mark.parametrize("road", ["model", "arrow"])
def test_nan_in_flags_and_numbers_of_a_load_is_missing(tmp_path: Path, road: Road) -> None:
    """Two finite values beside it, and one: DuckDB folds differently then."""
    columns: dict[str, list[float]] = {
        "link_id": [7.0, 9.0, NAN],
        "seq_num": [7.0, 7.0, NAN],
        "machine": [0.0, 1.0, NAN],
        "prefetched": [1.0, 1.0, NAN],
        "proxied": [0.0, 0.0, NAN],
        "reason": [1.5, 1.5, NAN],
        "unheard_of": [0.5, 1.5, NAN],
    }
    write(tmp_path / "export/metrics_v5_164000_1.parquet", metrics(0, 3, **columns), 3)
    assert load(tmp_path / "home", tmp_path / "export", road=road).quarantined == []
    got = rows(
        tmp_path / "home",
        f"select {', '.join(columns)} from customerio.metrics order by event_id",
    )
    assert got == [
        (7, 7, False, True, False, "1.5", "0.5"),
        (9, 7, True, True, False, "1.5", "1.5"),
        (None,) * 7,
    ]


# ---------------------------------------------------------------- truth and whole numbers


def test_only_truth_is_truth_and_only_whole_numbers_are_whole(tmp_path: Path) -> None:
    good: list[Any] = [
        pa.array([0, 1], pa.int8()),
        pa.array([0, 1], pa.uint64()),
        pa.array([Decimal("0.0"), Decimal("1.0")]),
        ["no", "YES"],
        ["f", "t"],
        ["0", "1"],
    ]
    export, home = tmp_path / "export", tmp_path / "home"
    for number, values in enumerate(good):
        metrics_file(export, number, number * 10, machine=values)
    bad: list[Any] = [
        pa.array([0, 2]),
        pa.array([0, -1]),
        [0.0, 0.5],
        [0.0, INFINITE],
        pa.array([Decimal("0.0"), Decimal("0.5")]),
        ["true", "1.0"],
        ["true", "on"],
    ]
    for number, values in enumerate(bad):
        metrics_file(export, 100 + number, 1000 + number * 10, machine=values)
    fractions: list[Any] = [
        [1.0, INFINITE],
        [1.0, 2.0**53],
        [Decimal("1.0"), Decimal("7.5")],
        [False, True],
        ["1", "7.5"],
        ["1", "99999999999999999999"],
    ]
    for number, values in enumerate(fractions):
        metrics_file(export, 200 + number, 2000 + number * 10, link_id=values)
    reasons = dict(load(home, export).quarantined)
    assert rows(home, "select machine from customerio.metrics order by seq_num") == [
        (False,),
        (True,),
    ] * len(good)
    for first, count, what in (
        (100, len(bad), "`machine` holds a value that is not true or false"),
        (200, len(fractions), "`link_id` holds a value that is not a whole number"),
    ):
        for number in range(first, first + count):
            assert what in reasons.pop(f"metrics_v5_164000_{number}.parquet")
    assert reasons == {}


# ---------------------------------------------------------------- money


@many
@given(cents=st.integers(-(10**18) + 1, 10**18 - 1) | st.integers(-(10**7), 10**7))
def test_an_amount_is_the_same_in_every_type(
    connection: Connection, folder: Path, cents: int
) -> None:
    amount = Decimal(cents).scaleb(-2)
    text = f"{amount:f}"
    for kind in (pa.decimal128(18, 2), pa.decimal128(38, 9)):
        got = in_parquet(connection, folder, "value", pa.array([amount], kind))
        assert got == [amount]
    assert in_csv(connection, folder, "value", text, "") == [amount, None]
    assert in_json(connection, folder, "value", f'"{text}"') == [amount]
    for got in (
        in_parquet(connection, folder, "value", pa.array([float(amount)])),
        in_json(connection, folder, "value", f"{text}"),
    ):
        exact = abs(float(amount)) < 2**53 // 100
        assert got == [amount] or (not exact and "is not an amount" in got)
        if abs(cents) < 10**15:
            assert got == [amount]


@many
@given(
    cents=st.integers(-(10**9), 10**9),
    finer=st.integers(1, 999).filter(lambda finer: finer % 10),
)
def test_an_amount_finer_than_a_cent_is_refused_in_every_type(
    connection: Connection, folder: Path, cents: int, finer: int
) -> None:
    """A cent is the unit, and which way a half of it goes is not ours to say."""
    amount = Decimal(cents * 1000 + finer).scaleb(-5)
    text = f"{amount:f}"
    for got in (
        in_csv(connection, folder, "value", text),
        in_json(connection, folder, "value", text),
        in_json(connection, folder, "value", f'"{text}"'),
    ):
        assert isinstance(got, str)
        assert "the column `value` holds a value that is not an amount" in got
        assert "it is finer than a cent" in got


@pytest.mark.parametrize("road", ["model", "arrow"])
def test_an_amount_finer_than_a_cent_is_told_where_a_file_cannot_be_read_without_its_row(
    tmp_path: Path, road: Road
) -> None:
    values = {
        "floats": pa.array([19.995, 19.99, 0.1 + 0.2, None, NAN]),
        "single": pa.array([19.995, 19.99, 19.989999, None, NAN], pa.float32()),
        "decimals": pa.array(
            [Decimal("19.995"), Decimal("19.99"), Decimal("0.300"), None, None],
            pa.decimal128(38, 9),
        ),
        "text": pa.array(["19.995", "19.99", "0.30000000000000004", None, ""]),
    }
    events = {**EVENT, "event_id": [str(number) for number in range(5)]}
    for name, value in values.items():
        write(tmp_path / f"export/behavior_{name}.parquet", {**events, "value": value}, 5)
    summary = load(tmp_path / "home", tmp_path / "export", road=road)
    assert (summary.rows, summary.quarantined) == (20, [])
    assert summary.failure is not None
    told = "select file_name, line_number, column_name, reason from loads.rejected_rows order by 1"
    why = "the row holds `value` finer than a cent: it was rounded"
    assert rows(tmp_path / "home", told) == [
        (f"behavior_{name}.parquet", 1, "value", why) for name in sorted(values)
    ]
    kept = rows(
        tmp_path / "home", "select distinct value from behavior.events where event_id = '0'"
    )
    assert kept == [(Decimal("20.00"),)]


@many
@given(prices=st.lists(st.integers(-(10**6), 10**6), min_size=1, max_size=40))
def test_a_sum_of_floats_is_the_sum_of_its_cents(
    connection: Connection, folder: Path, prices: list[int]
) -> None:
    """Arithmetic leaves digits that nobody meant, and writers print them."""
    expected = [Decimal(sum(prices)).scaleb(-2)]
    total = sum(price / 100 for price in prices)
    assert in_parquet(connection, folder, "value", pa.array([total])) == expected
    assert in_csv(connection, folder, "value", repr(total)) == expected
    assert in_json(connection, folder, "value", repr(total)) == expected


def test_what_is_no_amount_is_refused(connection: Connection, folder: Path) -> None:
    noise = pa.array([0.1 + 0.2, 19.990000000000002, 0.1 + 0.2 - 0.3])
    noiseless = [Decimal("0.30"), Decimal("19.99"), Decimal(0)]
    assert in_parquet(connection, folder, "value", noise) == noiseless
    single = pa.array([19.99, 0.1, 19.989999], pa.float32())
    assert in_parquet(connection, folder, "value", single) == [
        Decimal("19.99"),
        Decimal("0.10"),
        Decimal("19.99"),
    ]
    assert in_csv(connection, folder, "value", "19.990", "1999e-2") == [Decimal("19.99")] * 2
    assert in_csv(connection, folder, "value", "9999999999999999.99", "1e3", "+.5") == [
        Decimal("9999999999999999.99"),
        Decimal(1000),
        Decimal("0.5"),
    ]
    for text in (
        *("1,234.50", "1 234.50", "1_234.50", "$10", "10 €", "(10.00)", "10,50", "0x1F", "ten"),
        *("nan", "inf", "1e300", "99999999999999999.99", "--1", "1.2.3", "١٢"),
    ):
        got = in_csv(connection, folder, "value", "1", text)
        assert "line 3: the column `value` holds a value that is not an amount" in got, text
    for value in (1e300, INFINITE, -INFINITE, 90071992547409.94):
        got = in_parquet(connection, folder, "value", pa.array([value]))
        assert "too large for its cents" in got
    large = pa.array([1_000_000.0], pa.float32())
    assert "too large for its cents" in in_parquet(connection, folder, "value", large)
    truth = in_parquet(connection, folder, "value", pa.array([True]))
    assert truth == "the column `value` holds a value that is not an amount (it is a truth value)"


# ---------------------------------------------------------------- times

NO_TIMES = [
    "20260301",
    "20260301100000",
    "20260301100000000",
    "202603011000",
    "260301100000",
    "2026030110",
    "2603011000",
    "01032026",
    "46082.4166667",
    "46082",
    "0",
    "0.0",
    "-1740832215",
    "01740832215",
    "1.740832215e9",
    "1.74E+09",
    "2147483647",
    "26-03-01",
    "26-03-01 10:00:00",
    "01-03-26",
    "01/03/2026",
    "03/01/2026 10:00",
    "2026/03/01",
    "2026-3-1",
    "2026-02-30",
    "2026-13-01",
    "0026-03-01",
    "0001-01-01",
    "1970-01-01",
    "1989-12-31T23:59:59Z",
    "2100-01-01",
    "9999-12-31",
    "10000-01-01",
    "2026-03-01 BC",
    "2026-03-01Z",
    "2026-03-01T10",
    "2026-03-01T10:00:00.",
    "2026-03-01T24:00:00",
    "2026-03-01T23:59:60Z",
    "2026-03-01T10:60:00",
    "2026-03-01T10:00:00+02:00:30",
    "2026-03-01T10:00:00+15:00",
    "2026-03-01T10:00:00+2",
    "2026-03-01 10:00 AM",
    "2026-03-01 11:04:57 PM",
    *(f"2026-03-01 10:00:00 {zone}" for zone in ("EST", "PST", "BST", "IST", "CEST", "GMT", "utc")),
    "2026-03-01 10:00:00 America/New_York",
    "2026-03-01 10:00:00[Europe/Paris]",
    "2026-W09-7",
    "2026-060",
    "20260301T100000Z",
    "Sun, 01 Mar 2026 10:00:00 GMT",
    "infinity",
    "-infinity",
    "Infinity",
    "epoch",
    "now",
    "today",
    "NaT",
    "nan",
    "\uff12\uff10\uff12\uff16-03-01",
]


@pytest.mark.parametrize("text", NO_TIMES)
def test_what_is_no_time_is_refused_by_its_line_and_shape(
    connection: Connection, folder: Path, text: str
) -> None:
    for reason, line in (
        (in_csv(connection, folder, "occurred_at", NOON.isoformat(), text), 3),
        (in_json(connection, folder, "occurred_at", json.dumps(text)), 1),
    ):
        assert isinstance(reason, str), reason
        assert f"line {line}: the column `occurred_at` holds a value that is not a time" in reason
        assert text not in reason or text in ("0", "0.0")
    refused = in_parquet(connection, folder, "occurred_at", pa.array([text]))
    assert "the column `occurred_at` holds a value that is not a time (like" in str(
        refused
    ) or " digits, like 99" in str(refused)


def test_the_shape_of_a_refused_value_tells_nothing_of_it(
    connection: Connection, folder: Path
) -> None:
    def reason(text: str) -> str:
        got = in_csv(connection, folder, "occurred_at", "2026-03-01", text)
        assert isinstance(got, str)
        assert got.endswith(TOO_MANY)
        return got.removesuffix(TOO_MANY).partition("is not a time ")[2]

    assert reason("20260301") == (
        "(8 digits, like 99999999; as unix time it is not between the years 1990 and 2032)"
    )
    assert reason("9999-12-31") == "(like 9999-99-99; it is not between the years 1990 and 2099)"
    assert reason("Ann.Müller@example.com") == "(like aaa.aaaaaa@aaaaaaa.aaa)"
    assert reason("a\x1b[31m\nb|c") == "(like aa[99aaa|a)"
    assert reason("x" * 5000) == f"(like {'a' * 30}...)"


def test_a_bad_value_is_found_by_its_line_among_many(connection: Connection, folder: Path) -> None:
    path = folder / "behavior_many.csv"
    times = ["2026-03-01"] * 25_000
    times[24_321] = "20260301"
    path.write_text(
        "event_id,email,event_name,occurred_at,note\n\n"
        + "".join(f'{number},a,x,{time},"two\nlines"\n' for number, time in enumerate(times))
    )
    rest = [datetime(2026, 3, 1)] * 24_999
    aside = "select line_number, column_name from incoming.main.set_aside"
    assert read(connection, path, "occurred_at") == rest
    assert connection.execute(aside).fetchall() == [(3 + 2 * 24_321, "occurred_at")]
    path = folder / "behavior_many.jsonl"
    path.write_text(
        "\n".join(
            json.dumps({"event_id": "e", "email": "a", "event_name": "x", "occurred_at": time})
            for time in times
        )
    )
    assert read(connection, path, "occurred_at") == rest
    assert connection.execute(aside).fetchall() == [(24_322, "occurred_at")]


def test_a_webhook_without_its_time_is_named_by_line(tmp_path: Path) -> None:
    body = {"event_id": "E1", "metric": "sent", "timestamp": 1613063089}
    export = tmp_path / "export"
    export.mkdir()
    for name, timestamp in (("a", "NaN"), ("b", "20260301"), ("c", "0"), ("d", '"infinity"')):
        (export / f"webhooks_{name}.jsonl").write_text(
            json.dumps(body) + "\n" + json.dumps(body).replace("1613063089", timestamp) + "\n"
        )
    reasons = dict(load(tmp_path / "home", export).quarantined)
    assert reasons["webhooks_a.jsonl"] == f"line 2 lacks `timestamp`{TOO_MANY}"
    for name in "bcd":
        assert (
            "line 2: the column `timestamp` holds a value that is not a time"
            in (reasons[f"webhooks_{name}.jsonl"])
        )


INSTANTS = st.datetimes(datetime(1990, 1, 2), datetime(2099, 12, 30))
OFFSETS = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@many
@given(instant=INSTANTS, offset=OFFSETS)
def test_an_instant_is_the_same_in_every_spelling(
    connection: Connection, folder: Path, instant: datetime, offset: timezone
) -> None:
    aware = instant.replace(tzinfo=UTC)
    local = aware.astimezone(offset)
    basic = local.strftime("%Y-%m-%dT%H:%M:%S.%f%z")
    texts = [
        instant.isoformat(),
        instant.isoformat(" "),
        aware.isoformat(),
        aware.isoformat().replace("+00:00", "Z"),
        aware.isoformat().replace("+00:00", "z").replace("T", "t"),
        aware.isoformat(" ").replace("+00:00", " UTC"),
        local.isoformat(),
        basic,
        f"{instant:%Y-%m-%dT%H:%M:%S}.{instant.microsecond:06}999Z",
    ]
    assert in_csv(connection, folder, "occurred_at", *texts) == [instant] * len(texts)
    assert in_parquet(connection, folder, "occurred_at", pa.array(texts)) == [instant] * len(texts)
    for text in texts[:3]:
        assert in_json(connection, folder, "occurred_at", f'"{text}"') == [instant]
    for kind in ("us", "ns"):
        for zone in (None, "UTC", "Asia/Tokyo"):
            typed = pa.array([aware if zone else instant], pa.timestamp(kind, zone))
            assert in_parquet(connection, folder, "occurred_at", typed) == [instant]
    minute = instant.replace(second=0, microsecond=0)
    day = datetime(instant.year, instant.month, instant.day)
    assert in_csv(
        connection, folder, "occurred_at", f"{minute:%Y-%m-%dT%H:%M}", f"{minute:%Y-%m-%d %H:%MZ}"
    ) == [minute, minute]
    assert in_csv(connection, folder, "occurred_at", f"{day:%Y-%m-%d}") == [day]
    assert in_parquet(connection, folder, "occurred_at", pa.array([day.date()])) == [day]


@many
@given(instant=st.datetimes(datetime(1990, 1, 1), datetime(2032, 12, 31)))
def test_unix_time_is_the_same_in_every_unit_and_type(
    connection: Connection, folder: Path, instant: datetime
) -> None:
    epoch = datetime(1970, 1, 1)
    micros = (instant - epoch) // timedelta(microseconds=1)
    exact = [micros // 10**6, micros // 1000, micros]  # seconds, milliseconds, microseconds
    expected = [epoch + timedelta(seconds=exact[0]), epoch + timedelta(milliseconds=exact[1])]
    expected.append(instant)
    nanos = micros * 1000 + 999
    numbers, wanted = [*exact, nanos], [*expected, instant]
    texts = [str(number) for number in numbers]
    assert in_parquet(connection, folder, "occurred_at", pa.array(numbers)) == wanted
    assert in_csv(connection, folder, "occurred_at", *texts) == wanted
    decimals = pa.array([Decimal(number) for number in exact], pa.decimal128(25, 3))
    assert in_parquet(connection, folder, "occurred_at", decimals) == expected
    floats = [float(number) for number in exact]
    assert in_parquet(connection, folder, "occurred_at", pa.array(floats)) == expected
    points = [f"{number}.0" for number in exact]
    assert in_csv(connection, folder, "occurred_at", *points) == expected
    for text, point, one in zip(texts, points, expected, strict=False):
        assert in_json(connection, folder, "occurred_at", text) == [one]
        assert in_json(connection, folder, "occurred_at", point) == [one]
    inexact = in_parquet(connection, folder, "occurred_at", pa.array([float(nanos)]))
    assert "is not a time" in inexact
    fraction = f"{Decimal(micros).scaleb(-6):f}"
    for got in (
        in_csv(connection, folder, "occurred_at", fraction),
        in_json(connection, folder, "occurred_at", fraction),
        in_parquet(connection, folder, "occurred_at", pa.array([float(fraction)])),
        in_parquet(connection, folder, "occurred_at", pa.array([Decimal(fraction)])),
    ):
        assert got == [instant]


@many
@given(number=st.integers(0, 19).flatmap(lambda digits: st.integers(-(10**digits), 10**digits)))
def test_any_number_is_a_plausible_time_or_none(
    connection: Connection, folder: Path, number: int
) -> None:
    for got in (
        in_csv(connection, folder, "occurred_at", str(number)),
        in_json(connection, folder, "occurred_at", str(number)),
        in_json(connection, folder, "occurred_at", f"{number}.5"),
        in_parquet(connection, folder, "occurred_at", pa.array([float(number)])),
        in_parquet(connection, folder, "occurred_at", pa.array([Decimal(number)])),
    ):
        if isinstance(got, str):
            assert "`occurred_at` holds a value that is not a time" in got
        else:
            assert datetime(1990, 1, 1) <= got[0] < datetime(2033, 1, 1)


def test_typed_times_of_no_year_an_event_can_have_are_refused(
    connection: Connection, folder: Path
) -> None:
    microseconds, seconds = pa.timestamp("us"), pa.timestamp("s")
    for values in (
        pa.array([datetime(1, 1, 1)], microseconds),
        pa.array([datetime(1970, 1, 1)], microseconds),
        pa.array([datetime(9999, 12, 31)], microseconds),
        pa.array([datetime(9999, 12, 31, tzinfo=UTC)], pa.timestamp("ms", "UTC")),
        pa.array([datetime(1970, 1, 1)], pa.timestamp("ns")),
        pa.array([datetime(2200, 1, 1, tzinfo=UTC)], pa.timestamp("ns", "UTC")),
        pa.array([2**63 - 1], pa.int64()).cast(microseconds),
        pa.array([-(2**63) + 1], pa.int64()).cast(microseconds),
        pa.array([2**63 - 1], pa.int64()).cast(pa.timestamp("us", "UTC")),
        pa.array([32503680000], pa.int64()).cast(seconds),
        pa.array([date(1969, 12, 31)]),
        pa.array([2**31 - 1], pa.int32()).cast(pa.date32()),
    ):
        assert in_parquet(connection, folder, "occurred_at", values) == (
            "the column `occurred_at` holds a value that is not a time"
            " (it is not between the years 1990 and 2099)"
        )
    for values in (
        pa.array([1740832215.0], pa.float32()),  # such a float knows its minutes at best
        pa.array([NAN, INFINITE]),
        pa.array([True]),
    ):
        got = in_parquet(connection, folder, "occurred_at", values)
        assert isinstance(got, str)
        assert "a time" in got


def test_a_time_that_is_not_known_may_stand_where_nothing_happened(tmp_path: Path) -> None:
    """Customer.io writes 1970-01-01 for a creation it does not know, in whatever type."""
    export, home = tmp_path / "export", tmp_path / "home"
    people = {"internal_customer_id": ["a", "b"], "updated_at": [NOON] * 2}
    epoch, zero = datetime(1970, 1, 1), datetime(1, 1, 1)
    known: list[tuple[Any, datetime]] = [
        (pa.array([epoch] * 2, pa.timestamp("us")), epoch),
        (pa.array([epoch] * 2, pa.timestamp("ns", "UTC")), epoch),
        (pa.array([zero] * 2, pa.timestamp("us", "UTC")), zero),
        (pa.array([epoch.date()] * 2), epoch),
        ([0, 0], epoch),
        ([0.0, 0.0], epoch),
        (["0", "0"], epoch),
        (["1970-01-01T00:00:00Z"] * 2, epoch),
        (["1970-01-01 00:00:00+00"] * 2, epoch),
        (["0001-01-01T00:00:00Z"] * 2, zero),
    ]
    for number, (created, _) in enumerate(known):
        write(
            export / f"people_v5_1{number:02}_1.parquet",
            people | {"created_at": created, "updated_at": created},
        )
    refused: list[Any] = [
        [20260301, 20260301],
        ["infinity"] * 2,
        ["0026-03-01"] * 2,
        ["1970-01-01T08:00:00Z"] * 2,
        [datetime(1969, 12, 31), NOON.replace(tzinfo=None)],
        pa.array([2**63 - 1] * 2, pa.int64()).cast(pa.timestamp("us")),
    ]
    for number, created in enumerate(refused):
        write(export / f"people_v5_2{number:02}_1.parquet", people | {"created_at": created})
    reasons = dict(load(home, export).quarantined)
    assert set(reasons) == {f"people_v5_2{number:02}_1.parquet" for number in range(len(refused))}
    assert all("`created_at` holds a value that is not a time" in why for why in reasons.values())
    assert rows(
        home,
        "select workspace_id, created_at, updated_at from customerio.people"
        " where internal_customer_id = 'a' order by 1",
    ) == [(100 + number, when, when) for number, (_, when) in enumerate(known)]


@pytest.mark.parametrize(
    ("place", "loaded"),
    [
        *((f"load/{name}", 0) for name in ("L01_ampm", "L04a_yyyymmdd", "L04b_yyyymmddhhmmss")),
        *(
            (f"load/{name}", 0)
            for name in ("L04c_excelserial", "L04d_2digityear", "L15i_thousands")
        ),
        *((f"load/{name}", 1) for name in ("L02_noseconds", "L03_nanos", "L10c_decimal_ids")),
        *((f"nanstats/V{number}", 3) for number in (1, 2, 3, 4)),
        ("load/L05_zone_abbrev", 0),
        ("load/L10_float_ids", 3),
        ("load/L10b_float_json", 2),
        ("load/L10d_people_float", 2),
    ],
)
def test_what_people_really_have(
    tmp_path: Path, shared_data: Path, place: str, loaded: int
) -> None:
    summary = load(tmp_path, shared_data / "field" / place)
    assert summary.rows == loaded
    assert bool(summary.quarantined) == (loaded == 0)
    if "L10" in place:
        [table] = summary.rows_by_table
        found = rows(tmp_path, f"select customer_id from {table} where customer_id is not null")
        assert found
        assert all(value.isdigit() for (value,) in found)


def test_lines_that_spell_a_name_in_other_letters_lose_nothing(
    connection: Connection, folder: Path
) -> None:
    path = folder / "behavior_spellings.jsonl"
    lines = [
        {**EVENT, "occurred_at": "2026-01-01", "value": 1},
        {**EVENT, "occurred_at": "2026-01-01", "Value": 2},
        {"Event_ID": "f", "EMAIL": "b@example.com", "event_name": "x", "Occurred_At": "2026-01-02"},
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert read(connection, path, "value") == [Decimal(1), Decimal(2), None]
    assert read(connection, path, "event_id") == ["e", "e", "f"]
    assert read(connection, path, "email") == ["a@example.com", "a@example.com", "b@example.com"]
    assert None not in read(connection, path, "occurred_at")


def test_a_row_that_lacks_its_workspace_is_of_the_one_in_the_file_s_name(tmp_path: Path) -> None:
    table = {
        "workspace_id": pa.array([164000.0, NAN, None]),
        "event_id": ["a", "b", "c"],
        "delivery_id": ["d", "d", "d"],
        "metric": ["sent", "opened", "clicked"],
        "created_at": [NOON, NOON, NOON],
    }
    path = tmp_path / "export" / "metrics_v5_164000_1.parquet"
    path.parent.mkdir()
    pq.write_table(pa.table(table), path)
    load(tmp_path, path.parent)
    assert rows(tmp_path, "select distinct workspace_id from customerio.metrics") == [(164000,)]
