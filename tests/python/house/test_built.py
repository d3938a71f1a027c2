"""Only a whole build is read: what leaves the mark, what takes it away, and who refuses without."""

from __future__ import annotations

import contextlib
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import duckdb
import pytest
import yaml
from conftest import KILLS, PROVE
from killing import building, is_killed, seconds_of, started
from segment_world import REMEMBERED
from test_cli import PEOPLE, failed
from typer.testing import CliRunner, Result

from cli import app
from pipelines import warehouse
from pipelines.built import find_whole
from pipelines.built.manifest import require_manifest
from pipelines.built.next_build import discard_unfinished
from pipelines.built.tables import Tables
from pipelines.errors import CounterfoilError
from pipelines.settings import PROJECT_DIR, Settings

# -- the mark, in a project of two models ---------------------------------------------------------

MODELS = {
    "models/first.sql": "select {{ as_of() }} as as_of, 1 as number",
    "models/second.sql": "select number + 1 as number from {{ ref('first') }}",
    "models/second.yml": """
models:
  - name: second
    columns:
      - name: number
        data_tests: [not_null]
unit_tests:
  - name: one_more
    model: second
    given:
      - input: ref('first')
        rows: [{number: 4}]
    expect:
      rows: [{number: 5}]
""",
    "tests/dbt/second_is_two.sql": "select * from {{ ref('second') }} where number <> 2",
    "seeds/letters.csv": "letter\na\n",
}
BROKEN = {
    "a model fails": ("models/second.sql", "+ 1", "+ cast('one' as integer)"),
    "a model fails and what follows is skipped": (
        "models/first.sql",
        "1 as",
        "cast('x' as int) as",
    ),
    "a data test fails": ("tests/dbt/second_is_two.sql", "<> 2", "= 2"),
    "a unit test fails": ("models/second.yml", "number: 5", "number: 6"),
}
PARTS = {
    "selected": ["build", "--select", "+second"],
    "all selected by name": ["build", "--select", "first", "second", "letters"],
    "excluded": ["build", "--exclude", "second_is_two"],
    "without unit tests": ["build", "--exclude-resource-type", "unit_test"],
    "only models": ["build", "--resource-type", "model"],
    "without rows": ["build", "--empty"],
    "run": ["run"],
    "seed": ["seed"],
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A small project with the hooks, the profile and the house macros of ours."""
    folder = tmp_path / "project"
    shutil.copytree(PROJECT_DIR / "macros" / "house", folder / "macros" / "house")
    for name in ("read_project_file", "file_literal", "table", "reset_csv_table"):
        shutil.copy(PROJECT_DIR / "macros" / "cross_db" / f"{name}.sql", folder / "macros")
    shutil.copy(PROJECT_DIR / "profiles.yml", folder / "profiles.yml")
    for path, text in MODELS.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    ours = yaml.safe_load((PROJECT_DIR / "dbt_project.yml").read_text())
    kept = {name: ours[name] for name in ours if name not in ("models", "seeds", "vars")}
    kept["on-run-start"] = [hook for hook in ours["on-run-start"] if "check_segments" not in hook]
    kept["models"] = {"+materialized": "table"}
    (folder / "dbt_project.yml").write_text(yaml.safe_dump(kept))
    return folder


def dbt(settings: Settings, project: Path, *arguments: str, as_of: str = "2026-06-01") -> bool:
    """One dbt command on the small project; whether it went well."""
    settings.home.mkdir(parents=True, exist_ok=True)
    duckdb.connect(str(settings.raw_path)).close()
    command, *options = arguments
    where = [command, "--vars", f'{{"as_of": "{as_of} 00:00:00"}}', *options]
    with contextlib.suppress(CounterfoilError):
        warehouse.invoke(settings, project / "seeds", where, project=project)
        return True
    return False


def marked(settings: Settings) -> str | None:
    """The day that the mark names, if there is one; the manifest must be of the same build."""
    with duckdb.connect(str(settings.warehouse_path), read_only=True) as db:
        whole = find_whole(db)
    if whole is None:
        return None
    manifest = json.loads((settings.home / "manifest.json").read_text())
    assert manifest["metadata"]["invocation_id"] == whole.build_id
    return f"{whole.as_of:%Y-%m-%d}"


def instants(path: Path) -> list[str]:
    """The days that a warehouse's first model was built as of."""
    with duckdb.connect(str(path), read_only=True) as db:
        return [f"{day:%Y-%m-%d}" for (day,) in db.execute("select as_of from first").fetchall()]


def edit(project: Path, path: str, before: str, after: str) -> None:
    text = (project / path).read_text()
    assert before in text
    (project / path).write_text(text.replace(before, after))


def test_a_whole_build_leaves_its_mark_and_a_part_takes_it_away(
    settings: Settings, project: Path
) -> None:
    for name, part in PARTS.items():
        assert dbt(settings, project, *part)
        assert marked(settings) is None, name
        if name in ("selected", "run"):
            assert dbt(settings, project, "test")
            assert marked(settings) is None
    assert not (settings.home / "manifest.json").exists()
    assert dbt(settings, project, "build", as_of="2026-06-02")
    assert marked(settings) == "2026-06-02"
    kept = (settings.home / "manifest.json").read_bytes()
    # a test changes no row, and reads what is there
    assert dbt(settings, project, "test", as_of="2026-06-03")
    assert marked(settings) == "2026-06-02"
    # one model at another instant: the warehouse would be of two
    assert dbt(settings, project, "build", "--select", "second", as_of="2026-06-03")
    assert marked(settings) is None
    assert (settings.home / "manifest.json").read_bytes() == kept


def test_a_part_brings_along_what_it_stands_on_and_tests_what_is_there(
    settings: Settings, project: Path
) -> None:
    (project / "models/aside.sql").write_text("select 1 as number")
    compared = "select * from {{ ref('second') }}, {{ ref('aside') }} where false"
    (project / "tests/dbt/second_beside_aside.sql").write_text(compared)
    assert dbt(settings, project, "build", "--select", "second")
    with duckdb.connect(str(settings.warehouse_path), read_only=True) as db:
        names = {
            str(name) for (name,) in db.execute("select table_name from duckdb_tables()").fetchall()
        }
    assert names == {"first", "second"}
    # what is there is left alone, and a test that can run does
    edit(project, "tests/dbt/second_is_two.sql", "<> 2", "= 2")
    assert not dbt(settings, project, "build", "--select", "second")
    edit(project, "tests/dbt/second_is_two.sql", "= 2", "<> 2")
    edit(project, "models/first.sql", "1 as number", "7 as number")
    assert dbt(settings, project, "build", "--select", "second")
    # where all is there, dbt's own selection holds
    assert dbt(settings, project, "build", "--select", "aside", "letters")
    edit(project, "tests/dbt/second_beside_aside.sql", "where false", "")
    assert not dbt(settings, project, "build", "--select", "aside")


def test_a_failed_build_leaves_the_last_one_as_it_was(settings: Settings, project: Path) -> None:
    assert dbt(settings, project, "build")
    for name, (path, before, after) in BROKEN.items():
        edit(project, path, before, after)
        assert not dbt(settings, project, "build", as_of="2026-06-02")
        assert marked(settings) == "2026-06-01", name
        assert instants(settings.warehouse_path) == ["2026-06-01"], name
        edit(project, path, after, before)
    # what it had made is there for a look, until the next build
    assert instants(settings.home / "building" / "warehouse.duckdb") == ["2026-06-02"]
    # what is tried again is a part of the build
    assert dbt(settings, project, "retry")
    assert marked(settings) is None
    assert not (settings.home / "building" / "warehouse.duckdb").exists()
    edit(project, "tests/dbt/second_is_two.sql", "<> 2", "= 2")
    edit(project, "tests/dbt/second_is_two.sql", "select", "{{ config(severity='warn') }} select")
    assert dbt(settings, project, "build", as_of="2026-06-02")
    assert marked(settings) == "2026-06-02"  # a warning is no failure
    edit(project, "models/second.sql", "from", "frum")
    assert not dbt(settings, project, "build", as_of="2026-06-03")
    assert marked(settings) == "2026-06-02"


def test_a_table_takes_its_name_at_once_and_the_former_one_stays_if_it_fails(
    settings: Settings, project: Path
) -> None:
    assert dbt(settings, project, "build")
    names: list[str] = []
    plainly = [sys.executable, "-m", "dbt.cli.main", "run", "--vars", "as_of: 2026-07-01 00:00:00"]
    plainly += ["--project-dir", str(project), "--profiles-dir", str(project)]
    there = {
        "COUNTERFOIL_HOME": str(settings.home),
        "COUNTERFOIL_WAREHOUSE": str(settings.warehouse_path),
        "DO_NOT_TRACK": "1",
    }

    def run() -> int:
        done = subprocess.run(
            [*plainly, "--log-level=debug"],
            env={**os.environ, **there},
            check=False,
            capture_output=True,
            text=True,
        )
        names.extend(re.findall(r"(?i)create\s+table\s+(\S+)", done.stdout))
        return done.returncode

    edit(project, "models/first.sql", "1 as", "cast('x' as int) as")
    assert run() != 0
    assert instants(settings.warehouse_path) == ["2026-06-01"]
    edit(project, "models/first.sql", "cast('x' as int) as", "1 as")
    for kind in ("view", "table"):
        (project / "models/first.yml").write_text(
            f"models: [{{name: first, config: {{materialized: {kind}}}}}]"
        )
        assert run() == 0
        assert instants(settings.warehouse_path) == ["2026-07-01"]
        with duckdb.connect(str(settings.warehouse_path), read_only=True) as db:
            [(found,)] = db.execute(
                "select table_type from information_schema.tables where table_name = 'first'"
            ).fetchall()
        assert found == {"view": "VIEW", "table": "BASE TABLE"}[kind]
    assert any("first" in name for name in names)
    assert not any("__dbt_" in name for name in names)


def test_a_registry_with_other_columns_is_read_by_their_names(
    settings: Settings, project: Path
) -> None:
    """Whatever columns it had, and in whatever order, when the home was last built."""
    for text in ("letter,sound\na,ah\n", "sound,letter\nah,a\n", "sound,more,letter\nah,b,a\n"):
        (project / "seeds" / "letters.csv").write_text(text)
        for part in (["--select", "letters"], []):
            assert dbt(settings, project, "build", *part), text
            with duckdb.connect(str(settings.warehouse_path), read_only=True) as db:
                assert db.execute("select letter, sound from letters").fetchall() == [("a", "ah")]


def test_the_project_is_read_once_for_every_home_instant_and_registry(
    make_settings: Callable[..., Settings], project: Path, tmp_path: Path
) -> None:
    """And what is read of it is never another home's: not the registry, not the instant."""
    assert dbt(make_settings("one"), project, "build")
    memory = project / REMEMBERED / "partial_parse.msgpack"
    before = memory.stat().st_mtime_ns
    others = tmp_path / "registries"
    others.mkdir()
    (others / "letters.csv").write_text("letter\nb\n")
    settings = make_settings("two")
    settings.home.mkdir()
    duckdb.connect(str(settings.raw_path)).close()
    where = ["build", "--vars", '{"as_of": "2026-06-02 00:00:00"}']
    warehouse.invoke(settings, others, where, project=project)
    assert memory.stat().st_mtime_ns == before
    assert instants(settings.warehouse_path) == ["2026-06-02"]
    with duckdb.connect(str(settings.warehouse_path), read_only=True) as db:
        assert db.execute("select letter from letters").fetchall() == [("b",)]
    memory.write_bytes(memory.read_bytes()[:1000])
    assert dbt(make_settings("three"), project, "build")
    assert memory.stat().st_size > 1000


def test_a_project_that_nobody_may_write_is_read_all_the_same(
    make_settings: Callable[..., Settings],
    project: Path,
    an_owner: Callable[[], AbstractContextManager[None]],
) -> None:
    project.chmod(0o555)
    try:
        with an_owner():
            assert dbt(make_settings(), project, "build")
            assert not (project / "target").exists()
    finally:
        project.chmod(0o755)


def test_unit_tests_are_run_until_the_code_has_passed_them(
    make_settings: Callable[..., Settings], project: Path
) -> None:
    def kinds(home: str, *options: str) -> set[str]:
        settings = make_settings(home)
        settings.home.mkdir(parents=True, exist_ok=True)
        duckdb.connect(str(settings.raw_path)).close()
        where = ["build", "--vars", '{"as_of": "2026-06-01 00:00:00"}', *options]
        results = warehouse.invoke(settings, project / "seeds", where, project=project)
        assert marked(settings) == "2026-06-01"  # whole with them or without
        return {str(result.node.resource_type) for result in results} - {"operation"}

    assert kinds("one") == {"model", "seed", "test", "unit_test"}
    assert kinds("one") == {"model", "seed", "test"}
    assert kinds("two") == {"model", "seed", "test"}  # whatever was loaded they say the same
    assert "unit_test" in kinds("two", "--full-refresh")
    changes = {
        "models/second.sql": ("number + 1", "1 + number"),
        "models/second.yml": ("number: 4}", "number: 4, as_of: 2026-01-01}"),
        "macros/cross_db.sql": ("", "{% macro nobodys() %}{% endmacro %}"),
        "dbt_project.yml": ("", "vars: {nobodys: 1}\n"),
    }
    for path, (before, after) in changes.items():
        (project / path).touch()
        text = (project / path).read_text()
        (project / path).write_text(text.replace(before, after) if before else text + after)
        assert "unit_test" in kinds("one"), path
        assert "unit_test" not in kinds("one"), path
    edit(project, "models/second.yml", "number: 5", "number: 6")
    for _ in range(2):
        with pytest.raises(CounterfoilError, match="one_more"):
            kinds("one")


def test_the_mark_names_the_code_and_the_inputs(settings: Settings, project: Path) -> None:
    def named() -> tuple[str, str]:
        assert dbt(settings, project, "build")
        with duckdb.connect(str(settings.warehouse_path), read_only=True) as db:
            whole = find_whole(db)
        assert whole is not None
        return whole.code, whole.inputs

    code, inputs = first = named()
    assert named() == first
    for path, before, after in (
        ("models/first.sql", "1 as number", "1  as number"),
        ("macros/house/money.sql", "A sum", "The sum"),
        ("dbt_project.yml", "materialized: table", "materialized: table  # as ever"),
    ):
        edit(project, path, before, after)
        assert named() != (code, inputs), path
        edit(project, path, after, before)
    (project / "seeds/letters.csv").write_text("letter\nb\n")
    assert (named()[0], named()[1] == inputs) == (code, False)


def test_a_full_refresh_starts_from_nothing(settings: Settings, project: Path) -> None:
    assert dbt(settings, project, "build")
    for gone, options in ((False, []), (True, ["--full-refresh"])):
        with duckdb.connect(str(settings.warehouse_path)) as db:
            db.execute("create table if not exists left_by_an_older_version (one integer)")
        assert dbt(settings, project, "build", *options)
        with duckdb.connect(str(settings.warehouse_path), read_only=True) as db:
            found = db.execute("select 1 from duckdb_tables() where table_name like 'left%'")
            assert (found.fetchall() == []) == gone
    # no database at all: said, and a full refresh makes one
    settings.warehouse_path.write_bytes(b"no database" * 1000)
    with pytest.raises(CounterfoilError, match="`counterfoil build --full-refresh`"):
        warehouse.invoke(settings, project / "seeds", ["build"], project=project)
    assert dbt(settings, project, "build", "--full-refresh", as_of="2026-06-03")
    assert marked(settings) == "2026-06-03"


def test_a_warehouse_that_somebody_writes_is_not_replaced(
    settings: Settings, project: Path
) -> None:
    assert dbt(settings, project, "build")
    hold = "import duckdb, sys; d = duckdb.connect(sys.argv[1]); print('open', flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", hold, str(settings.warehouse_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"open\n"
        for options in ([], ["--full-refresh"]):
            with pytest.raises(CounterfoilError, match=f"open in process {other.pid}"):
                warehouse.invoke(settings, project / "seeds", ["build", *options], project=project)
        other.communicate(b"\n")
    assert marked(settings) == "2026-06-01"


def test_a_build_that_never_began_leaves_the_last_one_readable(
    settings: Settings, project: Path
) -> None:
    assert dbt(settings, project, "build")
    edit(project, "models/second.sql", "'first'", "'fist'")
    assert not dbt(settings, project, "build", as_of="2026-06-02")
    assert marked(settings) == "2026-06-01"
    edit(project, "models/second.sql", "'fist'", "'first'")
    # refused by a check at its start, as a changed segment is
    edit(
        project,
        "dbt_project.yml",
        "on-run-start:\n",
        "on-run-start:\n- '{{ exceptions.raise_compiler_error(\"no\") if execute }}'\n",
    )
    assert not dbt(settings, project, "build", as_of="2026-06-02")
    assert marked(settings) == "2026-06-01"


def test_a_killed_build_leaves_the_last_one_as_it_was(settings: Settings, project: Path) -> None:
    assert dbt(settings, project, "build")
    edit(project, "models/second.sql", "select", "select (select count(*) from range(10**13)) +")
    script = (
        "import sys; from pathlib import Path; from pipelines import warehouse\n"
        "from pipelines.settings import Settings\n"
        "home, project = Path(sys.argv[1]), Path(sys.argv[2])\n"
        "settings = Settings(_env_file=None).model_copy(update={'home': home})\n"
        "warehouse.invoke(settings, project / 'seeds', ['build', '--exclude-resource-type',"
        " 'unit_test'], on_node=lambda: print('node', flush=True, file=sys.stderr),"
        " project=project)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(settings.home), str(project)],
        stderr=subprocess.PIPE,
        cwd=PROJECT_DIR,
    ) as build:
        assert build.stderr is not None
        assert build.stderr.readline() == b"node\n"
        assert marked(settings) == "2026-06-01"
        build.send_signal(signal.SIGKILL)
    assert marked(settings) == "2026-06-01"
    assert instants(settings.warehouse_path) == ["2026-06-01"]
    edit(project, "models/second.sql", "select (select count(*) from range(10**13)) +", "select")
    assert dbt(settings, project, "build", as_of="2026-06-02")
    assert marked(settings) == "2026-06-02"


def test_killed_at_any_instant_a_build_leaves_one_that_is_whole(
    settings: Settings, project: Path, note: Callable[[str, int], None]
) -> None:
    """The one before it or the one after it, whole and with its own manifest."""

    def day_read() -> str:
        with Tables.opened(settings) as tables:
            require_manifest(settings, tables.whole)
            day = f"{tables.whole.as_of:%Y-%m-%d}"
        assert instants(settings.warehouse_path) == [day]
        return day

    assert dbt(settings, project, "build", as_of="2026-06-01")
    seconds = seconds_of(started(building, settings, project, "2026-06-02"))
    assert day_read() == "2026-06-02"
    chance = random.Random(7)
    tries, count = KILLS if PROVE else 3, 0
    for number in range(3 * tries):
        if count == tries:
            break
        before, day = day_read(), f"20{30 + number // 28}-07-{1 + number % 28:02}"
        process = started(building, settings, project, day)
        if is_killed(process, seconds * (count + chance.random()) / tries):
            count += 1
        else:
            assert process.exitcode == 0
            seconds *= 0.98  # it was quicker than the first
        assert day_read() in (before, day)
    note("kills of a build", count)
    assert count == tries
    assert dbt(settings, project, "build", as_of="2026-06-03")
    assert day_read() == "2026-06-03"


# -- everybody who reads, from the command line ---------------------------------------------------

READERS = {
    "plan": ["plan"],
    "publish": ["publish"],
    "publish --plan": ["publish", "--plan"],
    "deadletters retry": ["deadletters", "retry"],
    "review": ["review"],
    "checklist": ["checklist"],
    "checklist --journey": ["checklist", "--journey", "1"],
    "explain person": ["explain", "person", "C1"],
    "explain delivery": ["explain", "delivery", "d1"],
    "explain number": ["explain", "number", "--list"],
    "identity check": ["identity", "check"],
    "identity sample": ["identity", "sample"],
    "identity migrate": ["identity", "migrate", "--to", "email"],
    "segments backtest": ["segments", "backtest", "vip", "--from", "1", "--to", "2"],
}
NOT_WHOLE = "The last build did not finish, or built only a part"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home that was loaded and built whole, with a plan of it; copied by whoever changes it."""
    folder = tmp_path_factory.mktemp("whole")
    (folder / "export").mkdir()
    duckdb.connect().execute(
        f"copy ({PEOPLE}) to '{folder}/export/people_v5_7_1.parquet' (format parquet)"
    )
    home = folder / "home"
    for command in (
        ["load", str(folder / "export")],
        ["build", "--as-of", "2026-06-01"],
        ["plan", "--out", str(home / "plan.jsonl")],
    ):
        done = run(home, *command)
        assert done.exit_code == 0, done.output
    return home


@pytest.fixture
def home(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / "copy"))


def run(home: Path, *arguments: str) -> Result:
    environment = {
        "COUNTERFOIL_HOME": str(home),
        "HEAP_APP_ID": "1234567",
        "HEAP_REGION": "eu",
        "HEAP_URL": "http://127.0.0.1:9",
    }
    return CliRunner().invoke(app, list(arguments), env=environment)


def everybody_refuses(home: Path, *says: str) -> None:
    for name, command in READERS.items():
        more = [str(home / "plan.jsonl")] if name == "publish --plan" else []
        result = run(home, *command, *more)
        failed(result, 1, *says)
        assert result.stderr.count("\n") == 1, name
    assert not (home / "reviews").exists()
    assert list((home / "plans").glob("*")) == [] if (home / "plans").exists() else True
    with duckdb.connect(str(home / "ledger.duckdb"), read_only=True) as ledger:
        for relation in ("receipts", "batches", "versions"):
            assert ledger.execute(f"select count(*) from {relation}").fetchall() == [(0,)]
        assert ledger.execute("select count(*) from plans").fetchall() == [(1,)]


def test_a_whole_build_is_read(home: Path) -> None:
    told = json.loads(run(home, "plan", "--json").stdout)["plan"]
    assert told["as_of"] == "2026-06-01 00:00:00"
    assert run(home, "review").exit_code == 0
    assert (home / "reviews" / "review-2026-06-01.json").exists()
    assert run(home, "identity", "check").exit_code == 0
    assert "Nobody is known" not in run(home, "explain", "person", "C1").output


def everybody_reads(home: Path, day: str) -> None:
    """The readers that do more than refuse for want of data, each of the build of that day."""
    told = json.loads(run(home, "plan", "--json").stdout)["plan"]
    assert told["as_of"] == f"{day} 00:00:00"
    assert run(home, "review").exit_code == 0
    assert f"review-{day}" in run(home, "review").output
    for command in (["identity", "check"], ["explain", "number", "--list"], ["segments", "list"]):
        result = run(home, *command)
        assert result.exit_code == 0, result.output
    assert NOT_WHOLE not in run(home, "checklist").output


def test_while_a_build_runs_and_after_it_was_killed_the_last_one_is_read(home: Path) -> None:
    compiled = home / "target" / "run"
    shutil.rmtree(compiled)
    with subprocess.Popen(
        [sys.executable, "-c", "from cli import app; app()", "build", "--as-of", "2026-06-08"],
        env={"COUNTERFOIL_HOME": str(home), "PATH": ""},
        cwd=PROJECT_DIR,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as build:
        try:
            deadline = time.monotonic() + 120
            while len(list(compiled.rglob("*.sql"))) < 12 and time.monotonic() < deadline:
                assert build.poll() is None
                time.sleep(0.01)
            build.send_signal(signal.SIGSTOP)  # half-way, for as long as it takes to read
            everybody_reads(home, "2026-06-01")
        finally:
            build.kill()  # whoever waits for one that stands still waits for ever
    assert (home / "building" / "warehouse.duckdb").exists()
    everybody_reads(home, "2026-06-01")


@pytest.mark.parametrize(
    ("kept", "moved"),
    [(None, "former.json"), ("another", "manifest.json")],
    ids=["before the warehouse", "after it"],
)
def test_a_kill_between_warehouse_and_manifest_leaves_a_whole_build(
    home: Path, kept: str | None, moved: str
) -> None:
    (home / "building").mkdir(exist_ok=True)
    (home / "manifest.json").rename(home / "building" / moved)
    if kept:
        (home / "manifest.json").write_text(f'{{"metadata": {{"invocation_id": "{kept}"}}}}')
    everybody_reads(home, "2026-06-01")
    discard_unfinished(Settings.model_construct(home=home))
    assert not (home / "building").exists()
    everybody_reads(home, "2026-06-01")


def mark_of_an_older_version(home: Path) -> None:
    with duckdb.connect(str(home / "warehouse.duckdb")) as db:
        db.execute("alter table main.whole_build drop column inputs")


def no_mark(home: Path) -> None:
    with duckdb.connect(str(home / "warehouse.duckdb")) as db:
        db.execute("drop table main.whole_build")


def empty_mark(home: Path) -> None:
    with duckdb.connect(str(home / "warehouse.duckdb")) as db:
        db.execute("delete from main.whole_build")


def two_marks(home: Path) -> None:
    with duckdb.connect(str(home / "warehouse.duckdb")) as db:
        db.execute("insert into main.whole_build from main.whole_build")


def mark_of_other_columns(home: Path) -> None:
    with duckdb.connect(str(home / "warehouse.duckdb")) as db:
        db.execute("create or replace table main.whole_build as select 1 as as_of")


def schemas_only(home: Path) -> None:
    (home / "warehouse.duckdb").unlink()
    with duckdb.connect(str(home / "warehouse.duckdb")) as db:
        db.execute("create schema marts; create schema heap")


@pytest.mark.parametrize(
    "change",
    [
        no_mark,
        empty_mark,
        two_marks,
        mark_of_other_columns,
        mark_of_an_older_version,
        schemas_only,
    ],
)
def test_a_warehouse_without_a_mark_is_read_by_nobody(
    home: Path, change: Callable[[Path], None]
) -> None:
    """It is of an older version, or something other than a build made it."""
    change(home)
    everybody_refuses(home, NOT_WHOLE, "`counterfoil build`")


@pytest.mark.parametrize("content", [None, b"", b"no database"], ids=["missing", "empty", "words"])
def test_a_warehouse_that_is_none_is_refused(home: Path, content: bytes | None) -> None:
    (home / "warehouse.duckdb").unlink()
    if content is not None:
        (home / "warehouse.duckdb").write_bytes(content)
    everybody_refuses(home, "Error: ")


def test_a_manifest_of_another_build_is_refused(home: Path) -> None:
    path = home / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["metadata"]["invocation_id"] = "another"
    path.write_text(json.dumps(manifest))
    for command in (["plan"], ["publish"], ["publish", "--plan", str(home / "plan.jsonl")],
                    ["review"], ["checklist"], ["explain", "person", "C1"], ["identity", "check"],
                    ["audiences", "list"], ["explain", "told"]):  # fmt: skip
        failed(run(home, *command), 1, "not of the same build", "`counterfoil build`")


def test_a_build_that_is_refused_before_it_begins_changes_nothing(
    home: Path, tmp_path: Path
) -> None:
    (tmp_path / "workspaces.csv").write_text("workspace_id,name,time_zone,colour\n")
    failed(
        run(home, "build", "--as-of", "2026-06-08", "--registries", str(tmp_path)),
        2,
        "unknown column `colour`",
    )
    assert json.loads(run(home, "plan", "--json").stdout)["plan"]["as_of"] == "2026-06-01 00:00:00"
