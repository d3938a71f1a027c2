"""Through the macros that touch them, both engines make the same of every nasty value."""

from __future__ import annotations

import itertools
import json
import random
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pytest
from comparison import compared
from conftest import PROVE
from spark_homes import CONF, connect_server, elsewhere, sized, spread_out

from pipelines.errors import CounterfoilError
from pipelines.settings import Settings
from pipelines.warehouse import invoke

pytestmark = pytest.mark.spark

PROJECT = Path(__file__).parent / "traps"
SEED = 20260601
COUNT = 20_000 if PROVE else 4_000

BLANKS = [
    "",
    " ",
    "\t",
    "\n",
    "\r\n",
    "\u00a0",
    "\u2003",
    "\u3000",
    "\u200b",
    "\ufeff",
    "\u202f",
    "\u180e",
]
WORDS = [
    *("İ", "I", "\u0131", "Σ", "ΟΔΟΣ", "ς", "ß", "ẞ", "ŉ", "Ǆ", "ﬁ", "É", "É", "🙂", "ÅNGSTRÖM"),
    *(
        "true",
        "TRUE",
        "yes",
        "0.0",
        "1.0",
        "on",
        "off",
        "null",
        "None",
        "NaN",
        "nan",
        "inf",
        "-Infinity",
    ),
    *(
        "1.0",
        "1.5",
        "-1.5",
        "2.5",
        "0.5",
        "1e3",
        "1E-3",
        "1d",
        "1f",
        "0x10",
        "1_000",
        "1,000",
        ".5",
        "5.",
    ),
    *(
        "9223372036854775807",
        "9223372036854775808",
        "-9223372036854775808",
        "1e400",
        "+5",
        "--5",
        "5L",
    ),
    *(
        "2026-05-01",
        "2026-5-1",
        "1950-02-03",
        "1950/02/03",
        "1950-02-30",
        "1950-02-3x",
        "1950-02-03 noon",
        "1989-12-31",
    ),
    *(
        "2026-05-01 12:00",
        "2026-05-01T12:00:00Z",
        "2026-05-01 12:00:00+02:00",
        "2026-05-01T12:00:00+0530",
    ),
    *("2026-05-01 12:00:00-09", "2026-05-01 12:00:00 UTC", "2026-05-01 12:00:00.1234567", "12:00"),
    *(
        "2026-05-01 24:00:00",
        "2026-02-29",
        "2024-02-29T23:59:60Z",
        "1999-12-31t23:59:59z",
        "now",
        "epoch",
    ),
    *(
        "1767225600",
        "1767225600.5",
        "1767225600123",
        "1767225600123456",
        "1767225600123456789",
        "631151999",
    ),
    *(
        "a\\b",
        "\\",
        "\\n",
        "'",
        "''",
        '"',
        "%",
        "%s",
        "{{ x }}",
        "a'b\\'c",
        "$1",
        "\\1",
        "/*",
        "--",
        "`",
    ),
    *("sms", "Twilio", "in-app", "IN_APP", "E-Mail", "ann@example.com", "x" * 125, "é" * 121),
    *("\u202egnirts", "a\u2028b", "a\u0000b".replace("\u0000", "\u0001"), "\u00ad", "\ue000"),
]
WRITTEN = [word for word in WORDS if max(word) < "\U00010000"]
"""Those that YAML takes in a var."""
ZONES = [
    *("UTC", "Europe/Berlin", "America/New_York", "America/Havana", "America/Sao_Paulo"),
    *("Asia/Beirut", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Apia", "Africa/Cairo"),
]


def texts() -> Iterator[str]:
    """Words with blanks round them, one in another, and so on."""
    chance = random.Random(SEED)
    yield from WORDS
    yield from (
        a + word + b for word in WORDS for a, b in itertools.product(BLANKS, ["", "\u00a0"])
    )
    while True:
        parts = [chance.choice(chance.choice((WORDS, BLANKS))) for _ in range(chance.randint(1, 4))]
        yield "".join(parts)


def bodies() -> Iterator[str]:
    values: list[Any] = [
        *WORDS,
        1001,
        1001.0,
        -5.0,
        7.5,
        0,
        True,
        False,
        None,
        [],
        {},
        [1, 2],
        {"a": 1},
        10**15,
    ]
    for value in values:
        yield json.dumps({"key": value})
        yield json.dumps({"inner": {"key": value}, "key": value}, ensure_ascii=False)
    yield from (
        '{"key":1001.0}',
        '{"key":1001.00}',
        '{"key":-0.0}',
        "{}",
        "[]",
        "null",
        '"key"',
        '{"key":""}',
    )


def numbers() -> Iterator[tuple[float, int]]:
    chance = random.Random(SEED)
    halves = [
        0.5,
        1.5,
        2.5,
        -0.5,
        -2.5,
        1.005,
        2.675,
        0.125,
        1e15 + 0.5,
        0.285,
        1.115,
        9999999999999999.0,
    ]
    yield from ((number, round(number)) for number in halves)
    while True:
        number = chance.choice((1.0, 1e3, 1e9)) * chance.uniform(-1, 1)
        yield (
            chance.choice((number, round(number, 3), round(number * 2) / 2)),
            chance.randrange(-(2**62), 2**62),
        )


def instants() -> Iterator[tuple[datetime, datetime, int, str]]:
    """Beside every change of the clocks of each zone, and anywhere."""
    chance = random.Random(SEED)
    for zone in ZONES:
        at = datetime(2010, 1, 1)
        while at.year < 2027:
            later = at + timedelta(hours=12)
            if _offset(at, zone) != _offset(later, zone):
                for hours in range(-30, 31):
                    yield at + timedelta(hours=hours, microseconds=hours * 7), later, hours, zone
            at = later
    while True:
        first = datetime(2015, 1, 1) + timedelta(microseconds=chance.randrange(10**15 // 3))
        yield (
            first,
            first + timedelta(microseconds=chance.randrange(-(10**13), 10**13)),
            chance.randrange(-9999, 9999),
            chance.choice(ZONES),
        )


def _offset(at: datetime, zone: str) -> Any:
    return at.replace(tzinfo=ZoneInfo("UTC")).astimezone(ZoneInfo(zone)).utcoffset()


def give(settings: Settings) -> None:
    """The values as what was loaded."""
    settings.home.mkdir(parents=True)
    shapes: dict[str, tuple[str, list[tuple[Any, ...]]]] = {
        "texts": (
            "said varchar",
            [(None,), *((text,) for text in itertools.islice(texts(), COUNT))],
        ),
        "bodies": ("said varchar", [(body,) for body in bodies()]),
        "numbers": (
            "number double, counted bigint",
            [(None, None), *itertools.islice(numbers(), COUNT)],
        ),
        "instants": (
            "first_at timestamp, second_at timestamp, units bigint, zone varchar",
            list(itertools.islice(instants(), 4 * COUNT)),
        ),
        "written": ("said varchar", [(word,) for word in WRITTEN]),
    }
    import pyarrow as pa

    with duckdb.connect(str(settings.raw_path)) as db:
        db.execute("create schema nasty")
        for table, (columns, rows) in shapes.items():
            names = [column.split()[0] for column in columns.split(", ")]
            given = pa.table(  # noqa: F841
                {name: [row[n] for row in rows] for n, name in enumerate(names)}
                | {"place": list(range(len(rows)))}
            )
            db.execute(f"create table nasty.{table} (place bigint, {columns})")
            db.execute(f"insert into nasty.{table} by name select * from given")


@pytest.fixture(scope="module")
def homes(tmp_path_factory: pytest.TempPathFactory) -> tuple[Settings, Settings]:
    """The same values in two homes."""
    folder = tmp_path_factory.mktemp("traps")
    duck = Settings(_env_file=None).model_copy(update={"home": folder / "duckdb"})  # type: ignore[call-arg]
    spark = duck.model_copy(update={"home": folder / "spark", "engine": "spark"})
    for settings in (duck, spark):
        give(settings)
    return duck, spark


def run(settings: Settings, *options: str, conf: Path = CONF) -> None:
    with sized(conf):
        variables = json.dumps({"written": WRITTEN, "audiences_country_code": "49"})
        invoke(settings, PROJECT / "seeds", ["run", "--vars", variables, *options], project=PROJECT)


def test_both_engines_make_the_same_of_every_nasty_value(homes: tuple[Settings, Settings]) -> None:
    for settings in homes:
        run(settings, "--exclude", "tag:fails")
    duck, spark = homes
    tables, told = compared(duck.warehouse_path, spark.warehouse_path)
    assert told == [], "\n".join(told)
    assert len(tables) == 7
    with duckdb.connect(str(spark.warehouse_path), read_only=True) as db:
        (same,) = db.execute("select bool_and(is_same) from marts.literals").fetchall()[0]
        assert same is True


@pytest.mark.prove
def test_a_cluster_of_processes_makes_the_same(
    homes: tuple[Settings, Settings], tmp_path: Path
) -> None:
    """Two executors in processes of their own, between which rows are shuffled."""
    duck, _ = homes
    run(duck, "--exclude", "tag:fails")
    away = elsewhere(duck, "cluster", spark_master="local-cluster[2,1,1200]")
    run(away, "--exclude", "tag:fails", conf=spread_out(tmp_path / "conf"))
    tables, told = compared(duck.warehouse_path, away.warehouse_path)
    assert (len(tables), told) == (7, [])


@pytest.mark.prove
def test_a_server_in_another_process_makes_the_same(
    homes: tuple[Settings, Settings], tmp_path: Path
) -> None:
    """Through Spark Connect, twice: a server keeps what was built."""
    duck, _ = homes
    run(duck, "--exclude", "tag:fails")
    with connect_server(tmp_path) as remote:
        away = elsewhere(duck, "connect", spark_remote=remote)
        for _ in range(2):
            run(away, "--exclude", "tag:fails")
            tables, told = compared(duck.warehouse_path, away.warehouse_path)
            assert (len(tables), told) == (7, [])


def test_what_cannot_be_a_number_fails_on_both_engines(homes: tuple[Settings, Settings]) -> None:
    for settings in homes:
        with pytest.raises(CounterfoilError):
            run(settings, "--select", "tag:fails")
        told = json.loads((settings.home / "target" / "run_results.json").read_text())["results"]
        said = {one["unique_id"].rpartition(".")[2]: one["message"] for one in told}
        assert said.keys() == {"overflow", "zero"}
        assert re.search(r"(?i)overflow|out of range", said["overflow"])
        assert re.search(r"(?i)zero", said["zero"])
