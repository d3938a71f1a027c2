"""Rows in Parquet files: what counts is what raw.duckdb lists, whatever stopped in between."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest
from exports import behavior_file
from raw_in_files import begun, counted, there, values

from pipelines import loading
from pipelines.console import Console
from pipelines.erasure.erase import erase
from pipelines.errors import CounterfoilError
from pipelines.loading.summary import LoadSummary
from pipelines.settings import PROJECT_DIR, Settings

QUIET = Console(as_json=True)
HEADER = "event_id,event_name,occurred_at,email"


def export_of(folder: Path) -> Path:
    """Two files of behavior, one with a column that nobody knows and one with a bad line."""
    folder.mkdir()
    good = "".join(f"e{i},order,2025-01-0{i + 1},p{i}@example.com\n" for i in range(9))
    (folder / "behavior_1.csv").write_text(f"{HEADER}\n{good}e9,order,never,p9@example.com\n")
    (folder / "behavior_2.csv").write_text(f"{HEADER},filename\nf1,order,2025-02-01,,a name\n")
    return folder


def rows(home: Path, query: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(home / "raw.duckdb"), read_only=True) as connection:
        found: list[tuple[Any, ...]] = connection.execute(query).fetchall()
    return found


def load(settings: Settings, export: Path, engine: str = "duckdb") -> LoadSummary:
    return loading.load([str(export)], settings.model_copy(update={"engine": engine}), QUIET)


def require_refused(settings: Settings, export: Path, said: str) -> None:
    """A load, a build and an erasure stop, each with that sentence."""
    for act in (
        lambda: load(settings, export),
        lambda: loading.ensure_raw(settings),
        lambda: erase(settings, "p1@example.com", QUIET),
    ):
        with pytest.raises(CounterfoilError, match=said):
            act()


def test_the_rows_are_those_that_tables_would_hold(settings: Settings, tmp_path: Path) -> None:
    export = export_of(tmp_path / "export")
    files = begun(tmp_path / "files")
    for one in (files, settings):
        summary = load(one, export)
        assert (summary.files_loaded, summary.rows) == (2, 10)
        assert [(name, count) for name, count, _ in summary.rejected_rows] == [
            ("behavior_1.csv", 1)
        ]
        assert load(one, export).files_known == 2
    for query in (
        "select * exclude (_dlt_load_id) from behavior.events order by all",
        "select file_name, family, count_rows from loads.files order by all",
        "select file_name, line_number, column_name, reason from loads.rejected_rows",
        "select count(*) from customerio.people",
        "select column_name, data_type from duckdb_columns() where table_name = 'events'"
        " and schema_name = 'behavior' order by all",
    ):
        assert rows(files.home, query) == rows(settings.home, query), query
    loads = "select distinct _dlt_load_id from behavior.events"
    assert rows(files.home, loads) == rows(files.home, "select load_id from behavior._dlt_loads")
    assert there(files.home) == counted(files.home)
    assert len(there(files.home)) == 1
    for path in (files.home / "raw", *(files.home / "raw").rglob("*")):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


@pytest.mark.parametrize("name", ["50%_off", "\n^.b#&}x@%_<", "a*[b] c=1"])
def test_a_home_may_have_any_name(name: str, tmp_path: Path) -> None:
    behavior_file(tmp_path / "export" / "behavior.csv", "e0")
    settings = begun(tmp_path / name)
    for _ in range(2):
        load(settings, tmp_path / "export")
        assert rows(settings.home, "select event_id from behavior.events") == [("e0",)]


def test_a_home_keeps_its_rows_where_its_first_row_came_to_lie(
    settings: Settings, tmp_path: Path
) -> None:
    for number in (1, 2):
        behavior_file(tmp_path / f"export{number}" / f"behavior_{number}.csv", f"e{number}")
    events = "select event_id from behavior.events order by all"
    # a home with rows in tables keeps them there, also when Spark is asked for
    load(settings, tmp_path / "export1")
    load(settings, tmp_path / "export2", "spark")
    assert rows(settings.home, events) == [("e1",), ("e2",)]
    assert not (settings.home / "raw").exists()
    # one with empty tables puts its rows into files from then on, and DuckDB goes on with them
    empty = settings.model_copy(update={"home": tmp_path / "empty"})
    loading.ensure_raw(empty)
    load(empty, tmp_path / "export1", "spark")
    load(empty, tmp_path / "export2")
    assert rows(empty.home, events) == [("e1",), ("e2",)]
    assert len(there(empty.home)) == 2


def test_what_is_not_listed_does_not_count_and_goes(tmp_path: Path) -> None:
    export = export_of(tmp_path / "export")
    settings = begun(tmp_path / "home")
    load(settings, export)
    [first] = there(settings.home)
    # as a stop leaves it: written and not listed, or listed without the mark of a whole package
    shutil.copy(first, first.with_name("left.parquet"))
    assert rows(settings.home, "select count(*) from behavior.events") == [(10,)]
    load(settings, export)
    assert there(settings.home) == [first]
    with duckdb.connect(str(settings.raw_path)) as raw:
        raw.execute("delete from behavior._dlt_loads")
    (settings.home / "dlt").mkdir()
    assert load(settings, export).rows == 10
    assert rows(settings.home, "select count(*) from behavior.events") == [(10,)]
    assert there(settings.home) == counted(settings.home)
    assert first not in there(settings.home)


def test_without_the_list_nothing_counts_and_nothing_goes(tmp_path: Path) -> None:
    export = export_of(tmp_path / "export")
    settings = begun(tmp_path / "home")
    load(settings, export)
    before = there(settings.home)
    away = settings.raw_path.rename(tmp_path / "raw.duckdb")
    for act in (
        lambda: load(settings, export),
        lambda: loading.ensure_raw(settings),
        lambda: erase(settings, "p1@example.com", QUIET),
    ):
        with pytest.raises(CounterfoilError, match=r"holds 1 file of rows.*bring it back"):
            act()
        assert there(settings.home) == before
        assert not settings.raw_path.exists()
    away.rename(settings.raw_path)
    assert erase(settings, "p1@example.com", QUIET).proof.found == []
    assert rows(settings.home, "select count(*) from behavior.events") == [(9,)]


def test_a_file_that_is_lost_is_told(tmp_path: Path) -> None:
    export = export_of(tmp_path / "export")
    settings = begun(tmp_path / "home")
    load(settings, export)
    [path] = there(settings.home)
    away = path.rename(tmp_path / "away.parquet")
    require_refused(settings, export, r"1 file .* is not there: bring what is")
    away.rename(path)
    assert erase(settings, "p1@example.com", QUIET).proof.found == []


@pytest.mark.parametrize(
    "other",
    [
        "select * from rows limit 1",
        "select *, 'p1@example.com' as note from rows",
        "select * exclude (email) from rows",
        "",
    ],
    ids=["other rows", "a column more", "a column less", "no Parquet"],
)
def test_a_file_that_is_another_is_told(tmp_path: Path, other: str) -> None:
    export = export_of(tmp_path / "export")
    settings = begun(tmp_path / "home")
    load(settings, export)
    [path] = there(settings.home)
    was = path.read_bytes()
    if other:
        with duckdb.connect() as db:
            db.execute(f"create table rows as from read_parquet('{path}')")
            db.execute(f"copy ({other}) to '{path}' (format parquet)")
    else:
        path.write_bytes(was[:300])
    require_refused(settings, export, rf"{path.name} is not the file that raw.duckdb")
    path.write_bytes(was)
    assert erase(settings, "p1@example.com", QUIET).proof.found == []


@pytest.mark.parametrize("what", ["folder", "file"])
def test_a_link_among_the_files_is_told(tmp_path: Path, what: str) -> None:
    """An erasure removes the link alone, and what it leads to keeps the person."""
    export = export_of(tmp_path / "export")
    settings = begun(tmp_path / "home")
    load(settings, export)
    [path] = there(settings.home)
    place = path if what == "file" else settings.home / "raw" / "behavior"
    elsewhere = place.rename(tmp_path / "elsewhere")
    place.symlink_to(elsewhere)
    require_refused(settings, export, "is a link, and an erasure would not reach")
    place.unlink()
    elsewhere.rename(place)
    raw = (settings.home / "raw").rename(tmp_path / "disk")
    (settings.home / "raw").symlink_to(raw)
    assert erase(settings, "p1@example.com", QUIET).proof.found == []
    assert not [1 for file in raw.rglob("*.parquet") if b"p1@example.com" in file.read_bytes()]


@pytest.mark.parametrize("act", ["ensure_raw", "erase"])
def test_a_home_that_was_moved_is_read_where_it_is(tmp_path: Path, act: str) -> None:
    export = export_of(tmp_path / "export")
    settings = begun(tmp_path / "home")
    load(settings, export)
    moved = settings.model_copy(update={"home": settings.home.rename(tmp_path / "moved")})
    if act == "erase":
        assert erase(moved, "p1@example.com", QUIET).proof.found == []
    else:
        loading.ensure_raw(moved)
    left = 9 if act == "erase" else 10
    assert rows(moved.home, "select count(*) from behavior.events") == [(left,)]


def test_a_copy_of_a_home_is_read_where_it_is(tmp_path: Path) -> None:
    export = export_of(tmp_path / "export")
    settings = begun(tmp_path / "home")
    load(settings, export)
    shutil.copytree(settings.home, tmp_path / "copy")
    copy = settings.model_copy(update={"home": tmp_path / "copy"})
    for home in (settings, copy):
        assert erase(home, "p1@example.com", QUIET).proof.found == []
        assert rows(home.home, "select count(*) from behavior.events") == [(9,)]


STOPPED = """
import os, sys
from pathlib import Path
from pipelines.console import Console
from pipelines.erasure.erase import erase
from pipelines.loading import load, rawfiles, records
from pipelines.settings import Settings
setattr(rawfiles, sys.argv[3], lambda *_, **__: os._exit(9))
settings = Settings(_env_file=None).model_copy(update={"home": Path(sys.argv[1])})
if sys.argv[2] == "erase":
    erase(settings, "p1@example.com", Console(as_json=True))
else:
    load([sys.argv[2]], settings, Console(as_json=True))
"""


def stopped(settings: Settings, what: str, place: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", STOPPED, str(settings.home), what, place],
        cwd=PROJECT_DIR,
        capture_output=True,
        check=False,
    )
    assert ended.returncode == 9, ended.stderr


@pytest.mark.parametrize("act", ["load", "erase"])
def test_what_a_load_that_stopped_left_out_of_its_home_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, act: str
) -> None:
    """dlt takes a % in a path for its own, so that it is told another."""
    monkeypatch.setenv("TMPDIR", str(tmp_path / "scratch"))
    (tmp_path / "scratch").mkdir()
    export = export_of(tmp_path / "export")
    settings = begun(tmp_path / "50%off")
    if act == "erase":
        load(settings, export)
        (export / "behavior_3.csv").write_text(f"{HEADER}\ng1,order,2025-03-01,p1@example.com\n")
    stopped(settings, str(export), "bring")
    assert list((tmp_path / "scratch").rglob("*.parquet"))
    if act == "erase":
        assert erase(settings, "p1@example.com", QUIET).proof.found == []
    else:
        load(settings, export)
    assert not [names for _, _, names in os.walk(tmp_path / "scratch") if names]


@pytest.mark.parametrize("place", ["bring", "written", "add"])
def test_a_load_that_stopped_between_files_and_list_is_made_again(
    tmp_path: Path, place: str
) -> None:
    export = export_of(tmp_path / "export")
    settings = begun(tmp_path / "home")
    stopped(settings, str(export), place)
    assert rows(settings.home, "select count(*) from behavior.events") == [(0,)]
    assert load(settings, export).rows == 10
    assert rows(settings.home, "select count(*) from behavior.events") == [(10,)]
    assert there(settings.home) == counted(settings.home)


@pytest.mark.parametrize("place", ["to_disk", "show", "drop_unlisted"])
def test_an_erasure_that_stopped_between_files_and_list_is_taken_up(
    tmp_path: Path, place: str
) -> None:
    export = export_of(tmp_path / "export")
    settings = begun(tmp_path / "home")
    load(settings, export)
    before = there(settings.home)
    behavior_file(tmp_path / "other" / "behavior_3.csv", "g0")
    load(settings, tmp_path / "other")
    [of_others] = set(there(settings.home)) - set(before)
    stopped(settings, "erase", place)
    gone = place == "drop_unlisted"  # the old file is no more on the list, and not yet removed
    assert rows(settings.home, "select count(*) from behavior.events") == [(10 if gone else 11,)]
    certificate = erase(settings, "p1@example.com", QUIET)
    assert certificate.proof.found == []
    assert certificate.proof.raw_files == {"raw/behavior/events": 2}
    # what was removed before the stop, and not written down yet, is not counted
    assert certificate.rows_removed.get("raw.behavior.events", 0) == (0 if gone else 1)
    assert of_others in there(settings.home)
    assert there(settings.home) == counted(settings.home)
    assert "p1@example.com" not in "".join(map(values, there(settings.home)))
    assert rows(settings.home, "select event_id from behavior.events order by all") == [
        (name,) for name in ("e0", *(f"e{i}" for i in range(2, 9)), "f1", "g0")
    ]
    # and an old export brings nobody back
    (export / "behavior_1.csv").write_text(
        f"{HEADER}\ne1,order,2025-01-02,p1@example.com\ne10,order,2025-01-02,p10@example.com\n"
    )
    load(settings, export)
    assert "p1@example.com" not in "".join(map(values, there(settings.home)))
    assert rows(settings.home, "select count(*) from behavior.events") == [(11,)]


def test_a_copy_of_raw_names_files_that_an_erasure_replaces(tmp_path: Path) -> None:
    export = export_of(tmp_path / "export")
    settings = begun(tmp_path / "home")
    load(settings, export)
    shutil.copy(settings.raw_path, settings.home / "raw-of-may.duckdb")
    assert erase(settings, "p1@example.com", QUIET).proof.found == []
    assert there(settings.home) == counted(settings.home)


def test_the_files_are_parquet_by_table_and_load(tmp_path: Path) -> None:
    settings = begun(tmp_path / "home")
    load(settings, export_of(tmp_path / "export"))
    [(load_id,)] = rows(settings.home, "select load_id from behavior._dlt_loads")
    for path in there(settings.home):
        assert path.parent.relative_to(settings.home / "raw").as_posix() == (
            f"behavior/events/_dlt_load_id={load_id}"
        )
        assert "_dlt_load_id" not in pq.read_schema(path).names
    assert not os.path.lexists(settings.home / "dlt")
