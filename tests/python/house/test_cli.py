"""The command: exit codes, one sentence per error, and no traceback for anybody."""

from __future__ import annotations

import hashlib
import json
import shutil
import signal
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import get_args, get_type_hints

import duckdb
import httpx
import pytest
import yaml
from publisher_home import OPEN, Home
from typer.testing import CliRunner, Result

from cli import app
from pipelines.command import path
from pipelines.sandbox import Fault, Sandbox, running_sandbox
from pipelines.settings import PROJECT_DIR

PEOPLE = """
    select 7::bigint as workspace_id, 'C' || i as customer_id, 'a0' || i as internal_customer_id,
        'c' || i || '@example.com' as email_addr, false as deleted, false as suppressed,
        timestamp '2026-01-01' as created_at, timestamp '2026-01-01' as updated_at
    from range(3) as numbers (i)
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("COUNTERFOIL_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def export(tmp_path: Path) -> Path:
    folder = tmp_path / "export"
    folder.mkdir()
    duckdb.connect().execute(
        f"copy ({PEOPLE}) to '{folder}/people_v5_7_1.parquet' (format parquet)"
    )
    return folder


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def failed(result: Result, code: int, *says: str) -> None:
    assert result.exit_code == code, result.output
    for words in says:
        assert words in result.stderr
    assert "Traceback" not in result.output


def test_every_command_has_help() -> None:
    for command in [
        "run",
        "load",
        "build",
        "plan",
        "publish",
        "review",
        "checklist",
        "erase",
        "sample",
        "sandbox",
        "segments",
        "identity",
        "deadletters",
        "explain",
        "webhooks",
    ]:
        assert run(command, "--help").exit_code == 0


def test_help_imports_nothing_heavy() -> None:
    script = (
        "import sys, cli; print([m for m in ('duckdb', 'dlt', 'dbt', 'scipy') if m in sys.modules])"
    )
    said = subprocess.run(
        [sys.executable, "-c", script], cwd=PROJECT_DIR, capture_output=True, text=True, check=True
    )
    assert said.stdout.strip() == "[]"


HEARD = """
import signal

signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background hears none
from cli import app

app()
"""


def test_the_sandbox_says_where_it_is_as_one_object(home: Path) -> None:
    server = subprocess.Popen(
        [sys.executable, "-c", HEARD, "sandbox", "--json", "--port", "0"],
        cwd=PROJECT_DIR,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert server.stdout is not None
    said = ""
    while not said.endswith("}\n"):
        said += server.stdout.readline()
    assert httpx.get(json.loads(said)["url"] + "/connect/users").status_code == 200
    server.send_signal(signal.SIGINT)
    try:
        assert server.communicate(timeout=60)[0] == ""
    finally:
        server.kill()
    assert server.returncode == 0


def test_no_export_there(home: Path, tmp_path: Path) -> None:
    failed(run("load", str(tmp_path / "nowhere")), 2, "nowhere")


def test_an_export_with_nothing_recognised(home: Path, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("hello")
    failed(run("load", str(tmp_path)), 2, "Error:")


def test_no_permission(
    home: Path,
    export: Path,
    tmp_path: Path,
    an_owner: Callable[[], AbstractContextManager[None]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    closed = Path(shutil.copytree(export, tmp_path / "closed"))
    closed.chmod(0)
    monkeypatch.setenv("COUNTERFOIL_HOME", str(tmp_path / "owned"))
    try:
        with an_owner():
            failed(run("load", str(closed)), 1, "cannot be read (permission denied)")
    finally:
        closed.chmod(0o700)


def test_loading_twice_loads_once(home: Path, export: Path) -> None:
    first = json.loads(run("load", str(export), "--json").stdout)
    again = json.loads(run("load", str(export), "--json").stdout)
    assert first["load"]["files_loaded"] == 1
    assert (again["load"]["files_loaded"], again["load"]["files_known"]) == (0, 1)


def test_a_broken_file_exits_1_and_the_rest_loads(home: Path, export: Path) -> None:
    (export / "people_v5_7_2.parquet").write_bytes(b"PAR1 no parquet")
    result = run("load", str(export), "--json")
    failed(result, 1, "could not be read")
    assert json.loads(result.stdout)["load"]["rows"] == 3


def test_an_instant_before_the_data(home: Path, export: Path) -> None:
    run("load", str(export))
    failed(run("build", "--as-of", "2025-01-01"), 2, "lies before the first loaded row")


def test_an_instant_that_is_none(home: Path) -> None:
    failed(run("build", "--as-of", "yesterday"), 2, "--as-of")
    failed(run("run", "--as-of", "yesterday"), 2, "--as-of")
    assert not (home / "sample").exists()  # refused before anything was made


def test_a_part_that_names_no_model(home: Path) -> None:
    failed(run("build", "--select", " "), 2, "--select is empty")


def test_a_registry_with_an_unknown_column(home: Path, export: Path, tmp_path: Path) -> None:
    (tmp_path / "workspaces.csv").write_text("workspace_id,name,time_zone,colour\n")
    failed(run("build", "--registries", str(tmp_path)), 2, "unknown column `colour`")


def test_registries_are_judged_before_anything_is_loaded(
    home: Path, export: Path, tmp_path: Path
) -> None:
    (tmp_path / "workspaces.csv").write_text("workspace_id,name,time_zone\n7,x,BST\n8,y,PST\n")
    result = run("run", str(export), "--registries", str(tmp_path), "--json")
    failed(result, 2, "2 faults", "workspaces.csv line 2: `time_zone`", "line 3: `time_zone`")
    told = json.loads(result.stdout)["faults"]
    assert [(fault["file"], fault["line"], fault["column"]) for fault in told] == [
        ("workspaces.csv", 2, "time_zone"),
        ("workspaces.csv", 3, "time_zone"),
    ]
    assert not (home / "raw.duckdb").exists()


def test_a_locked_warehouse_says_who_holds_it(home: Path, export: Path) -> None:
    run("load", str(export))
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys; from pathlib import Path; from pipelines.locks import hold\n"
            "with hold(Path(sys.argv[1]), 'warehouse', 'build'):\n"
            "    print('held', flush=True); sys.stdin.read()",
            str(home),
        ],
        cwd=PROJECT_DIR,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        failed(run("load", str(export)), 1, "`counterfoil build`", str(holder.pid), "wait")
    finally:
        holder.communicate("")
    assert run("load", str(export)).exit_code == 0


def test_publishing_needs_an_app_and_a_region(home: Path) -> None:
    failed(run("publish"), 2, "HEAP_APP_ID")


@pytest.fixture
def heap(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    with running_sandbox(limits=OPEN) as sandbox:
        for name, value in (("APP_ID", "1234567"), ("REGION", "eu"), ("URL", sandbox.url)):
            monkeypatch.setenv(f"HEAP_{name}", value)
        yield sandbox


@pytest.fixture
def marts(home: Path) -> Home:
    """Something to publish: thirty events that no ledger knows."""
    made = Home(home)
    made.sent(30)
    return made


def told_nothing(marts: Home) -> None:
    assert marts.ledger("select count(*) from receipts") == [(0,)]
    assert marts.ledger("select count(*) from property_state") == [(0,)]
    assert marts.ledger("select count(*) from dead_letters") == [(0,)]


def test_a_sign_in_page_is_no_receipt(marts: Home, heap: Sandbox) -> None:
    page = "<html>sign in as ann@corp.example</html>"
    heap.inject(Fault("intercepted", times=99, status=200, text=page, content_type="text/html"))
    result = run("publish")
    failed(result, 1, "not Heap as documented (status 200, a web page)", "HEAP_URL", "proxy")
    assert "ann@" not in result.output
    told_nothing(marts)
    assert marts.ledger("select count(*) from intents") == [(10,)]
    heap.state.faults.clear()
    assert json.loads(run("publish", "--json").stdout)["publish"]["count_events"] == 30


def test_a_plan_is_not_sent_without_a_warehouse(marts: Home, heap: Sandbox, home: Path) -> None:
    assert run("plan", "--out", str(home / "plan.jsonl")).exit_code == 0
    (home / "warehouse.duckdb").rename(home / "away")
    for command in (["publish", "--plan", str(home / "plan.jsonl")], ["publish"], ["plan"]):
        failed(run(*command), 1, "no gate can be checked", "`counterfoil build`")
    assert heap.calls == []
    told_nothing(marts)
    (home / "away").rename(home / "warehouse.duckdb")
    marts.sql("drop table marts.dim_persons")
    failed(
        run("publish", "--plan", str(home / "plan.jsonl")),
        1,
        "gates cannot be checked",
        "dim_persons",
    )
    assert heap.calls == []
    told_nothing(marts)


def test_a_plan_that_vouches_for_itself_is_not_sent(marts: Home, heap: Sandbox, home: Path) -> None:
    path = home / "plan.jsonl"
    assert run("plan", "--out", str(path)).exit_code == 0
    first, body = path.read_text().split("\n", 1)
    body = body.replace("shopper1@", "stranger@")
    header = json.loads(first)
    header["rows_sha256"] = hashlib.sha256(body.encode()).hexdigest()
    (home / "edited.jsonl").write_text(f"{json.dumps(header, sort_keys=True)}\n{body}")
    failed(run("publish", "--plan", str(home / "edited.jsonl")), 1, "changed after it was made")
    header["plan_id"] = "plan-of-my-own"
    (home / "edited.jsonl").write_text(f"{json.dumps(header, sort_keys=True)}\n{body}")
    failed(run("publish", "--plan", str(home / "edited.jsonl")), 1, "does not know the plan")
    assert heap.calls == []
    told_nothing(marts)
    assert run("publish", "--plan", str(path)).exit_code == 0
    assert len(heap.store().events) == 30


def test_a_setting_that_cannot_be(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for threads in ("many", "0", "257"):
        monkeypatch.setenv("COUNTERFOIL_THREADS", threads)
        failed(run("segments", "list"), 2, "COUNTERFOIL_THREADS")


def test_the_version_is_one_and_the_same() -> None:
    project = tomllib.loads((PROJECT_DIR / "pyproject.toml").read_text())["project"]
    models = yaml.safe_load((PROJECT_DIR / "dbt_project.yml").read_text())
    assert run("--version").stdout == f"counterfoil {project['version']}\n"
    assert models["version"] == project["version"]


def test_an_argument_that_is_no_text_is_refused_before_any_work(tmp_path: Path) -> None:
    for arguments in (("erase", "\udcff"), ("plan", "--out", "x\udcff"), ("load", "a", "\udcff")):
        found = run(*arguments)
        assert found.exit_code == 2
        assert f"argument {len(arguments)} is not text in UTF-8" in found.output


def test_no_command_takes_an_empty_path_for_the_folder_one_stands_in(
    home: Path, monkeypatch: pytest.MonkeyPatch, export: Path
) -> None:
    monkeypatch.chdir(export)
    before = [path.read_bytes() for path in export.iterdir()]
    failed(run("erase", "C1", "--exports", ""), 2, "it is empty: give a path")
    failed(run("identity", "lock", "--registries", ""), 2, "it is empty: give a path")
    assert [path.read_bytes() for path in export.iterdir()] == before
    groups = [app, *(group.typer_instance for group in app.registered_groups)]
    callbacks = [c.callback for group in groups if group for c in group.registered_commands]
    paths = [
        hint.__metadata__[0]
        for callback in callbacks
        if callback
        for hint in get_type_hints(callback, include_extras=True).values()
        if Path in _parts(hint)
    ]
    assert len(paths) >= 11
    assert all(told.parser is path for told in paths)


def _parts(hint: object) -> set[object]:
    """The types that a hint is made of."""
    return {hint}.union(*(_parts(part) for part in get_args(hint)))
