"""Through the macros that touch them, both engines make the same of every nasty value."""

from __future__ import annotations

import itertools
import json
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pytest
from comparison import compared
from conftest import PROVE
from nasty_json import bodies, lists, topics
from spark_homes import CONF, PLACES, connect_server, elsewhere, placed, sized

from pipelines.engines import lake
from pipelines.engines.spark import stop
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
    for unit in (16, 60, 100, 160, 1000):  # hours of minutes, shares: halves of the last decimal
        yield from ((count / unit, count) for count in range(300))
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
        "bodies": ("said varchar", [(body,) for body in bodies(WORDS)]),
        "lists": ("said varchar", [(body,) for body in lists()]),
        "topics": ("said varchar", [(body,) for body in topics()]),
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


@dataclass(frozen=True)
class Homes:
    """The same values in two homes, and where the second has its Spark."""

    duck: Settings
    spark: Settings
    conf: Path

    def run(self, *options: str) -> None:
        run(self.duck, *options)
        run(self.spark, *options, conf=self.conf)


@pytest.fixture(scope="module", params=PLACES)
def homes(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Homes]:
    """The same values in two homes."""
    folder = tmp_path_factory.mktemp("traps")
    duck = Settings(_env_file=None).model_copy(update={"home": folder / "duckdb"})  # type: ignore[call-arg]
    give(duck)
    with placed(request.param, folder) as (where, conf):
        yield Homes(duck, elsewhere(duck, "spark", **where), conf)


def run(settings: Settings, *options: str, conf: Path = CONF, command: str = "run") -> None:
    with sized(conf):
        variables = json.dumps({"written": WRITTEN, "audiences_country_code": "49"})
        given = [command, "--vars", variables, *options]
        invoke(settings, PROJECT / "seeds", given, project=PROJECT)


def test_both_engines_make_the_same_of_every_nasty_value(homes: Homes) -> None:
    """Twice on a server, which outlives a build."""
    for _ in range(2 if homes.spark.spark_remote else 1):
        homes.run("--exclude", "tag:fails")
        tables, told = compared(homes.duck.warehouse_path, homes.spark.warehouse_path)
        assert told == [], "\n".join(told)
        assert len(tables) == 12
    with duckdb.connect(str(homes.spark.warehouse_path), read_only=True) as db:
        (same,) = db.execute("select bool_and(is_same) from marts.literals").fetchall()[0]
        assert same is True


def test_what_cannot_be_a_number_fails_on_both_engines(homes: Homes) -> None:
    for settings, conf in ((homes.duck, CONF), (homes.spark, homes.conf)):
        with pytest.raises(CounterfoilError):
            run(settings, "--select", "tag:fails", conf=conf)
        told = json.loads((settings.home / "target" / "run_results.json").read_text())["results"]
        said = {one["unique_id"].rpartition(".")[2]: one["message"] for one in told}
        assert said.keys() == {"overflow", "zero"}
        assert re.search(r"(?i)overflow|out of range", said["overflow"])
        assert re.search(r"(?i)zero", said["zero"])


def test_a_unit_test_that_expects_something_else_fails_on_both_engines(homes: Homes) -> None:
    """Whatever columns its rows give, and in whatever order."""
    for settings, conf in ((homes.duck, CONF), (homes.spark, homes.conf)):
        with pytest.raises(CounterfoilError):
            run(settings, "--select", "checked", "unlike", "fewer", conf=conf, command="build")
        told = json.loads((settings.home / "target" / "run_results.json").read_text())["results"]
        said = {one["unique_id"].rpartition(".")[2]: one["status"] for one in told}
        assert said == {
            "as_it_is": "pass",
            "checked": "success",
            "another_text": "fail",
            "unlike": "skipped",
            "no_row": "fail",
            "fewer": "skipped",
        }


def asked(remote: str, *statements: str) -> list[str]:
    """Tell a server something, and ask for the schemas that it has then."""
    from pyspark.sql import SparkSession

    session = SparkSession.builder.remote(remote).getOrCreate()
    try:
        for statement in statements:
            session.sql(statement).collect()
        return sorted(row[0] for row in session.sql("show schemas").collect())
    finally:
        stop(session)


@pytest.mark.prove
def test_a_server_keeps_nothing_of_builds_and_all_that_is_not_theirs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of one that passed, of one that failed or was interrupted, and of one that was killed."""
    settings = Settings(_env_file=None).model_copy(update={"home": tmp_path / "home"})  # type: ignore[call-arg]
    give(settings)
    with connect_server(tmp_path) as remote:
        asked(
            remote,
            "create schema theirs comment 'a build of somebody else'",
            "create table theirs.kept as select 1 as one",
            f"create schema killed comment '{lake.OURS}'",
            "create table killed.people as select 1 as one",
        )
        away = elsewhere(settings, "connect", spark_remote=remote)

        def keeps_theirs() -> bool:
            kept = {path.parent.parent.name for path in tmp_path.glob("warehouse/**/*.parquet")}
            return (asked(remote), kept) == (["default", "theirs"], {"theirs.db"})

        run(away, "--select", "numbers")
        assert keeps_theirs()
        with pytest.raises(CounterfoilError):
            run(away, "--select", "tag:fails")
        assert keeps_theirs()
        monkeypatch.setattr(lake, "hand_back", interrupted)
        with pytest.raises(KeyboardInterrupt):
            run(away, "--select", "numbers")
        assert keeps_theirs()


def interrupted(*_: Any) -> None:
    raise KeyboardInterrupt
