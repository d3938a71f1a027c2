"""Spark builds what DuckDB builds: every table, and every answer that is read from it."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest
from comparison import compared
from conftest import KILLS, PROVE
from copies import reads
from spark_homes import (
    EVERYTHING,
    FEW,
    PLACES,
    Homes,
    brand_built_once,
    build_part,
    elsewhere,
    first_built_once,
    people_in,
    placed,
    registries_of,
    sized,
)
from typer.testing import CliRunner

from cli import app
from pipelines.built import find_whole
from pipelines.engines.clocks import first_difference
from pipelines.engines.spark import SparkEngine
from pipelines.errors import CounterfoilError, UsageError
from pipelines.loading import rawfiles
from pipelines.settings import PROJECT_DIR, Settings

pytestmark = pytest.mark.spark

AS_OF = "2026-06-01 00:00:00"
LOCK = "workspace_id,identifier_type,rehearsal"
WAIVERS = "rule,subject,reason,owner,expires_on"
KILLED = 5 if PROVE else 1
SHORT_KILLED = KILLS // 8
MOST_READS = 60
"""Of relations in the plan of a model: each clause as often as it is read."""


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The sample brand with few people, built by DuckDB."""
    return brand_built_once(tmp_path_factory, FEW)


@pytest.fixture(scope="module", params=PLACES)
def homes(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Homes]:
    """The sample brand, built by both: in full in the proof of threads.

    DuckDB has its rows in tables, Spark the same in files.
    """
    brand = brand_built_once(tmp_path_factory, people_in(request.param))
    with placed(request.param, tmp_path_factory.mktemp("place")) as (where, conf):
        yield first_built_once(tmp_path_factory, brand, request.param, where, conf)


def said(settings: Settings, monkeypatch: pytest.MonkeyPatch, *words: str) -> str:
    """What a command prints, in a home."""
    monkeypatch.setenv("COUNTERFOIL_HOME", str(settings.home))
    monkeypatch.setenv("COUNTERFOIL_ENGINE", settings.engine)
    result = CliRunner().invoke(app, list(words))
    assert result.exit_code in (0, 1), result.output
    return result.output.replace(str(settings.home), "HOME")


def test_every_table_is_equal(homes: Homes, note: Callable[[str, int], None]) -> None:
    tables, told = compared(*homes.every_table)
    assert told == []
    note("tables compared", len(tables))
    with duckdb.connect(str(homes.spark.warehouse_path), read_only=True) as db:
        whole = find_whole(db)
    assert whole is not None


def test_so_few_people_leave_no_more_tables_empty(few: Settings) -> None:
    """Of the sample's 5,000 people, 230 tables have rows."""
    with duckdb.connect(str(few.warehouse_path), read_only=True) as db:
        (filled,) = db.execute(
            "select count(*) from duckdb_tables() "
            "where estimated_size > 0 and table_name <> 'whole_build'"
        ).fetchall()[0]
    assert filled >= 230


def test_no_plan_grows_by_copies_of_clauses(few: Settings) -> None:
    """Planning is what costs on Spark: a model of 347 reads took an eighth of a build."""
    compiled = few.home / "target" / "compiled" / "counterfoil" / "models"
    counts = {
        path.stem: reads(path.read_text(encoding="utf-8"))
        for path in compiled.rglob("*.sql")
        if ".yml/" not in path.as_posix()  # a test's own
    }
    assert len(counts) > 200
    assert {name: count for name, count in counts.items() if count > MOST_READS} == {}


def test_what_is_read_came_back_as_it_was_built(homes: Homes) -> None:
    """Every relation that an exposure names is there, and equal."""
    _, told = compared(homes.duckdb.warehouse_path, homes.spark.warehouse_path)
    assert [one for one in told if not one.endswith("not in the other warehouse")] == []


def test_the_plan_is_the_same_line_for_line(homes: Homes, tmp_path: Path) -> None:
    from pipelines.console import Console
    from pipelines.heap.planning import make_plan

    lines = []
    for settings in (homes.duckdb, homes.spark):
        out = tmp_path / f"{settings.engine}.jsonl"
        make_plan(settings, Console(as_json=True), out=out)
        lines.append(out.read_text(encoding="utf-8").splitlines()[1:])
    assert len(lines[0]) > 2 * FEW
    assert lines[0] == lines[1]


def test_the_page_is_the_same(homes: Homes) -> None:
    from pipelines.review.page import write_page

    pages = []
    for settings in (homes.duckdb, homes.spark):
        write_page(settings)
        (path,) = settings.reviews_dir.glob("*.html")
        text = path.read_text(encoding="utf-8")
        for build_id in _builds(settings):
            text = text.replace(build_id, "BUILD")
        pages.append(text)
    assert pages[0] == pages[1]


def test_checks_and_explanations_are_the_same(
    homes: Homes, monkeypatch: pytest.MonkeyPatch
) -> None:
    with duckdb.connect(str(homes.duckdb.warehouse_path), read_only=True) as db:
        (person, delivery) = db.execute(
            "select min(person_id), min(delivery_id) from marts.fct_message_exposures"
            " where arm is not null"
        ).fetchall()[0]
    asked = [
        ("checklist",),
        ("identity", "check"),
        ("segments", "list"),
        ("explain", "person", person),
        ("explain", "delivery", delivery),
        ("explain", "number", "--list"),
    ]
    for words in asked:
        told = [said(settings, monkeypatch, *words) for settings in (homes.duckdb, homes.spark)]
        assert told[0] == told[1], words


def test_another_primary_identifier_needs_a_migration(homes: Homes, tmp_path: Path) -> None:
    """Spark keeps nothing between two builds, and knows all the same what the last one said."""
    settings = homes.spark
    before = settings.warehouse_path.read_bytes()
    shutil.copytree(registries_of(settings), tmp_path / "seeds")
    rules = tmp_path / "seeds" / "identity_rules.csv"
    text = (PROJECT_DIR / "seeds" / rules.name).read_text(encoding="utf-8")
    swapped = text.replace("customer_id,primary", "customer_id,fallback")
    rules.write_text(swapped.replace("email,fallback", "email,primary"), encoding="utf-8")
    lock = tmp_path / "seeds" / "identity_lock.csv"
    lock.write_text(f"{LOCK}\n,email,first choice\n", encoding="utf-8")
    with pytest.raises(CounterfoilError, match="changed from customer_id to email"):
        build_part(settings, tmp_path / "seeds", "int_identity__rules", homes.conf)
    assert settings.warehouse_path.read_bytes() == before


def test_what_looks_like_a_variable_is_a_text(homes: Homes, tmp_path: Path) -> None:
    """In a registry and in the folder's name: Spark would put in what the environment holds."""
    settings = elsewhere(homes.spark, f"{homes.spark.home.name}_${{env:HOME}}")
    shutil.copytree(registries_of(settings), tmp_path / "seeds")
    waivers = tmp_path / "seeds" / "waivers.csv"
    said = "${env:PATH} ${system:user.name} ${x}"
    waivers.write_text(f'{WAIVERS}\nfreshness,,"{said}",who,2099-01-01\n', encoding="utf-8")
    build_part(settings, tmp_path / "seeds", "waivers", homes.conf)
    with duckdb.connect(str(settings.home / EVERYTHING), read_only=True) as db:
        assert db.execute("select reason from registries.waivers").fetchall() == [(said,)]


def test_a_time_zone_that_spark_does_not_know_is_told(homes: Homes, tmp_path: Path) -> None:
    """Registries take what Python knows; DuckDB has a name that Java left out long ago."""
    (tmp_path / "workspaces.csv").write_text(
        "workspace_id,name,time_zone\n1,shop,Europe/Berlin\n2,other,US/Pacific-New\n"
    )
    engine = SparkEngine(homes.spark)
    said = "does not know the time zone US/Pacific-New of workspaces.csv"
    with sized(homes.conf), pytest.raises(CounterfoilError, match=said), engine.running():
        engine.hand_over(tmp_path, tmp_path)


def test_rules_of_a_time_zone_differ_from_the_first_other_change_on() -> None:
    summer, winter = datetime(2026, 3, 8, 12), datetime(2026, 11, 1, 12)
    ours = [(datetime(2000, 1, 1), -28_800), (summer, -25_200), (winter, -28_800)]
    assert first_difference(ours, ours) is None
    assert first_difference(ours, ours[:-1]) == winter
    assert first_difference(ours, [ours[0], (summer, -21_600), ours[2]]) == summer


def test_rows_that_spark_does_not_see_stop_a_build(homes: Homes) -> None:
    """As where a folder is not mounted: an empty table passes every test."""
    settings = elsewhere(homes.spark, f"{homes.spark.home.name}_unmounted")
    file = next((settings.home / rawfiles.FOLDER).rglob("people/*/*.parquet"))
    pq.write_table(pq.read_table(file).slice(1), file)
    with pytest.raises(CounterfoilError, match=r"Spark finds .* rows of raw_customerio\.people"):
        build_part(settings, registries_of(settings), "waivers", homes.conf)
    assert not settings.warehouse_path.exists()


@pytest.mark.parametrize(
    "address", ["sc://127.0.0.1:{port}", "sc://me:secret@[::1]:{port}/;token=secret"]
)
def test_a_server_that_nobody_runs_is_named_at_once(
    few: Settings, tmp_path: Path, address: str
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    where = address.format(port=port)
    engine = SparkEngine(few.model_copy(update={"spark_remote": where}))
    began = time.monotonic()
    said = rf"reached or started at \S+:{port} "
    with pytest.raises(UsageError, match=said) as refused, engine.running():
        engine.hand_over(tmp_path, tmp_path)
    assert time.monotonic() < began + 60
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("address", ["sc://", "http://host:15002", "sc:///;token=secret"])
def test_an_address_that_is_none_is_told(few: Settings, tmp_path: Path, address: str) -> None:
    engine = SparkEngine(few.model_copy(update={"spark_remote": address}))
    said = "an address such as sc://host:15002"
    with pytest.raises(UsageError, match=said) as refused, engine.running():
        engine.hand_over(tmp_path, tmp_path)
    assert "secret" not in str(refused.value)


def test_a_kill_leaves_the_last_whole_build(homes: Homes, note: Callable[[str, int], None]) -> None:
    """Killed among its models, with its Java, the build before is there and is whole."""
    settings = homes.spark
    before = settings.warehouse_path.read_bytes()
    for turn in range(KILLED):
        began = time.time()
        process = _begun(homes)
        while not _handed_over(settings, began) and time.time() < began + 120:
            time.sleep(0.2)
        time.sleep(1 + 5 * turn)
        assert process.poll() is None, "the build ended before it was killed"
        _kill(process)
        assert settings.warehouse_path.read_bytes() == before
    note("kills", KILLED)
    with duckdb.connect(str(settings.warehouse_path), read_only=True) as db:
        assert find_whole(db) is not None


@pytest.mark.prove
def test_a_kill_at_any_point_leaves_one_build_or_the_next(
    homes: Homes, note: Callable[[str, int], None]
) -> None:
    """From the first word to the last of a build that is short, for it makes one registry."""
    settings = homes.spark
    before, seconds = settings.warehouse_path.read_bytes(), 0.0
    for _ in range(2):  # the first reads the project
        began = time.monotonic()
        assert _begun(homes, "--select", "guardrails").wait(300) == 0
        seconds = time.monotonic() - began
    made = _tables(settings)
    killed = ended = 0
    while killed < SHORT_KILLED:
        settings.warehouse_path.write_bytes(before)
        began = time.monotonic()
        process = _begun(homes, "--select", "guardrails")
        try:
            assert process.wait(seconds * (killed + 0.5) / SHORT_KILLED) == 0
            # faster than the one that was timed, so that the point comes earlier
            seconds, ended = time.monotonic() - began, ended + 1
            assert ended < 3 * SHORT_KILLED
        except subprocess.TimeoutExpired:
            _kill(process)
            killed += 1
        assert settings.warehouse_path.read_bytes() == before or _tables(settings) == made
    note("kills", killed)
    settings.warehouse_path.write_bytes(before)


def _begun(homes: Homes, *options: str) -> subprocess.Popen[bytes]:
    """A build on Spark, in a process of its own."""
    settings = homes.spark
    where = {
        "COUNTERFOIL_SPARK_MASTER": settings.spark_master,
        "SPARK_REMOTE": settings.spark_remote,
    }
    return subprocess.Popen(
        [sys.executable, "-m", "cli", "build", "--as-of", AS_OF, *options],
        cwd=Path(__file__).parents[3],
        env={
            "PATH": "/usr/bin:/bin",
            "COUNTERFOIL_HOME": str(settings.home),
            "COUNTERFOIL_ENGINE": "spark",
            "SPARK_CONF_DIR": str(homes.conf),
        }
        | {name: place for name, place in where.items() if place},
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _handed_over(settings: Settings, since: float) -> bool:
    """Whether a build has begun to give Spark what was loaded; one that was killed has, too."""
    with suppress(OSError):
        return (settings.home / "building" / "lake" / "raw").stat().st_mtime >= since
    return False


def _tables(settings: Settings) -> list[Any]:
    with duckdb.connect(str(settings.warehouse_path), read_only=True) as db:
        names = "select schema_name, table_name from duckdb_tables() order by all"
        return [*db.execute(names).fetchall()]


def _kill(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):  # it has ended by itself
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _builds(settings: Settings) -> set[str]:
    with duckdb.connect(str(settings.warehouse_path), read_only=True) as db:
        whole = find_whole(db)
    assert whole is not None
    return {whole.build_id}
