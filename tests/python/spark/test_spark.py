"""Spark builds what DuckDB builds: every table, and every answer that is read from it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest
from comparison import compared
from conftest import KILLS, PROVE
from spark_homes import (
    CONF,
    EVERYTHING,
    PEOPLE,
    Homes,
    build,
    build_untested,
    built,
    elsewhere,
    registries_of,
)
from typer.testing import CliRunner

from cli import app
from pipelines.built import find_whole
from pipelines.settings import Settings

pytestmark = pytest.mark.spark

AS_OF = "2026-06-01 00:00:00"
KILLED = KILLS // 20 if PROVE else 1


@pytest.fixture(scope="module")
def brand(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The sample brand, built by DuckDB."""
    return built(tmp_path_factory.mktemp("brand"))


@pytest.fixture(scope="module")
def homes(brand: Settings) -> Homes:
    """The sample brand, built by both."""
    spark = elsewhere(brand, "spark")
    build(spark, registries_of(brand))
    return Homes(brand, spark)


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


def test_so_few_people_leave_no_more_tables_empty(brand: Settings) -> None:
    """Of the sample's 5,000 people, 230 tables have rows."""
    with duckdb.connect(str(brand.warehouse_path), read_only=True) as db:
        (filled,) = db.execute(
            "select count(*) from duckdb_tables() "
            "where estimated_size > 0 and table_name <> 'whole_build'"
        ).fetchall()[0]
    assert filled >= 230


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
    assert len(lines[0]) > 2 * PEOPLE
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


def test_two_builds_are_equal(homes: Homes) -> None:
    again = elsewhere(homes.spark, "again")
    build_untested(again, registries_of(again))
    _, told = compared(homes.spark.home / EVERYTHING, again.home / EVERYTHING)
    assert told == ["main.whole_build: not in the other warehouse"]
    assert not (again.home / "building" / "lake").exists()


def test_a_kill_leaves_the_last_whole_build(homes: Homes, note: Callable[[str, int], None]) -> None:
    """Killed anywhere, with its Java, the build before is there and is whole."""
    settings = homes.spark
    before = settings.warehouse_path.read_bytes()
    for turn in range(KILLED):
        process = subprocess.Popen(
            [sys.executable, "-m", "cli", "build", "--as-of", AS_OF],
            cwd=Path(__file__).parents[3],
            env={
                "PATH": "/usr/bin:/bin",
                "COUNTERFOIL_HOME": str(settings.home),
                "COUNTERFOIL_ENGINE": "spark",
                "SPARK_CONF_DIR": str(CONF),
            },
            start_new_session=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        lake = settings.home / "building" / "lake" / "warehouse"
        deadline = time.monotonic() + 120
        while not lake.exists() and time.monotonic() < deadline and process.poll() is None:
            time.sleep(0.2)
        time.sleep(1 + 5 * turn)
        assert process.poll() is None, "the build ended before it was killed"
        _kill(process)
        assert settings.warehouse_path.read_bytes() == before
    note("kills", KILLED)
    with duckdb.connect(str(settings.warehouse_path), read_only=True) as db:
        assert find_whole(db) is not None


def _kill(process: subprocess.Popen[bytes]) -> None:
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _builds(settings: Settings) -> set[str]:
    with duckdb.connect(str(settings.warehouse_path), read_only=True) as db:
        whole = find_whole(db)
    assert whole is not None
    return {whole.build_id}
