"""A database that cannot be opened or read names its cause, whoever opens it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import duckdb
import pytest
from publisher_home import OPEN, Home, told_home
from typer.testing import CliRunner

from cli import app
from pipelines.heap.ledger import Ledger
from pipelines.loading import ensure_raw
from pipelines.sandbox import running_sandbox
from pipelines.settings import PROJECT_DIR, Settings

DATABASES = ("raw", "warehouse", "ledger")
CURES = {
    "raw": "rebuilt from the exports", "warehouse": "build again",
    "ledger": "restore it from its newest back-up",
}  # fmt: skip
COMMANDS = {
    "raw": (["load", "EXPORT"], ["build"], ["erase", "shopper1@shop.example"]),
    "warehouse": (
        ["plan"], ["publish"], ["review"], ["checklist"], ["explain", "person", "person1"],
        ["identity", "check"], ["erase", "shopper1@shop.example"],
    ),
    "ledger": (
        ["plan"], ["publish"], ["deadletters", "list"], ["explain", "person", "person1"],
        ["erase", "shopper1@shop.example"],
    ),
}  # fmt: skip


def garbage(path: Path) -> None:
    path.write_bytes(b"<html>sign in</html>" * 900)


def truncated(path: Path) -> None:
    os.truncate(path, 3 * 4096 + 1000)  # its headers, and a little more


def empty(path: Path) -> None:
    path.write_bytes(b"")


def header(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(os.urandom(8192))


def a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Home:
    with running_sandbox(limits=OPEN) as sandbox:
        return told_home(tmp_path_factory.mktemp("opening"), sandbox.url)


@pytest.fixture
def home(whole: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = Path(shutil.copytree(whole.path, tmp_path / "home"))
    for name, value in {
        "COUNTERFOIL_HOME": str(folder), "HEAP_APP_ID": "1234567", "HEAP_REGION": "eu",
        "HEAP_URL": "http://127.0.0.1:9", "HEAP_API_KEY": "key",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    return folder


def _named(word: str, whole: Home) -> str:
    return str(whole.path.parent / "export") if word == "EXPORT" else word


def said(command: list[str], whole: Home) -> str:
    told = CliRunner().invoke(app, [_named(word, whole) for word in command])
    assert told.exit_code == 1, told.output
    assert "something unexpected" not in told.stderr
    assert "Traceback" not in told.output
    return told.stderr


@pytest.mark.parametrize("harm", [garbage, truncated, empty, header, a_folder])
@pytest.mark.parametrize("name", DATABASES)
def test_damage_is_named_with_its_cure(
    home: Path, whole: Home, name: str, harm: Callable[[Path], None]
) -> None:
    harm(home / f"{name}.duckdb")
    for command in COMMANDS[name]:
        words = said(command, whole)
        assert f"{name}.duckdb" in words, command
        assert CURES[name] in words, command
        assert "in use" not in words, command


@pytest.mark.parametrize("name", ["warehouse", "ledger"])
def test_damage_in_the_middle_is_named_when_it_is_read(home: Path, whole: Home, name: str) -> None:
    path = home / f"{name}.duckdb"
    with duckdb.connect(str(path)) as db:
        place = {"warehouse": "marts.dim_persons", "ledger": "receipts"}[name]
        db.execute(f"insert into {place} (person_id) values ('x')" if name == "warehouse" else "")
    blocks = (path.stat().st_size - 12288) // 262144
    with path.open("r+b") as file:
        for block in range(blocks):
            file.seek(12288 + block * 262144 + 1000)
            file.write(os.urandom(64))
    for command in COMMANDS[name]:
        words = said(command, whole)
        assert f"{name}.duckdb" in words, (command, words)
        assert CURES[name] in words, (command, words)


@pytest.fixture
def holder() -> Iterator[Callable[[Path], subprocess.Popen[str]]]:
    held: list[subprocess.Popen[str]] = []

    def hold(path: Path) -> subprocess.Popen[str]:
        script = (
            "import duckdb, sys; db = duckdb.connect(sys.argv[1]); print(1, flush=True); input()"
        )
        process = subprocess.Popen(
            [sys.executable, "-c", script, str(path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        process.stdout.readline()
        held.append(process)
        return process

    yield hold
    for process in held:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("name", DATABASES)
def test_whoever_holds_a_database_is_named_and_nothing_is_called_damaged(
    home: Path, whole: Home, name: str, holder: Callable[[Path], subprocess.Popen[str]]
) -> None:
    process = holder(home / f"{name}.duckdb")
    for command in COMMANDS[name]:
        words = said(command, whole)
        assert re.search(rf"{name}\.duckdb is in use by \S+ \(process {process.pid}\)", words), (
            words
        )
        assert "restore" not in words
        assert "move it away" not in words


def test_a_home_that_may_only_be_read_is_named(
    whole: Home,
    open_folder: Path,
    nobody: Callable[[], AbstractContextManager[None]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    commands = [
        ["load", "EXPORT"], ["build"], ["plan"], ["publish"], ["deadletters", "list"],
         ["erase", "shopper1@shop.example"],
    ]  # fmt: skip
    for name, value in {"HEAP_APP_ID": "1234567", "HEAP_REGION": "eu"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("COUNTERFOIL_HOME", str(open_folder / "warm"))
    for command in commands:  # imports whatever they need
        early = ["--as-of", "2025-01-01"] if command == ["build"] else []  # refused at once
        CliRunner().invoke(app, [*(_named(word, whole) for word in command), *early])
    home = Path(shutil.copytree(whole.path, open_folder / "home"))
    monkeypatch.setenv("COUNTERFOIL_HOME", str(home))
    for path in (home, *home.rglob("*")):
        os.chown(path, open_folder.stat().st_uid, -1)
        path.chmod(0o500 if path.is_dir() else 0o400)
    with nobody():
        for command in commands:
            words = said(command, whole)
            assert "permission" in words.lower(), (command, words)
            assert str(home) in words or "state folder" in words, (command, words)


@pytest.mark.parametrize(
    "instant",
    [
        "9999-12-31", "9999-12-31T23:59:59+00:00", "3000-01-01", "0001-01-01T00:00:00+14:00",
        "2026-W01", "2026W011",
    ],
)  # fmt: skip
def test_an_instant_beyond_the_calendar_or_of_another_is_refused(home: Path, instant: str) -> None:
    told = CliRunner().invoke(app, ["build", "--as-of", instant])
    assert told.exit_code == 2
    assert "from 1970 to 2999" in told.stderr


BEGUN = """
import os, sys
from pathlib import Path
from pipelines.opening import ensure_database
Path.replace = lambda *_: os._exit(9)
ensure_database(Path(sys.argv[1]))
"""


def test_a_database_is_there_whole_or_not_at_all(tmp_path: Path) -> None:
    """One that was killed at its birth was a file without a header, and damaged to the next."""
    path = tmp_path / "ledger.duckdb"
    ended = subprocess.run([sys.executable, "-c", BEGUN, str(path)], cwd=PROJECT_DIR, check=False)
    [begun] = tmp_path.iterdir()
    assert (ended.returncode, path.exists()) == (9, False)
    settings = Settings.model_validate({"COUNTERFOIL_HOME": tmp_path / "home"})
    settings.home.mkdir()
    for name in ("ledger.duckdb", "raw.duckdb"):
        half = settings.home / begun.name.replace("ledger.duckdb", name)
        half.write_bytes(begun.read_bytes()[:100])
    with Ledger(settings):
        pass
    ensure_raw(settings)
    assert sorted(path.name for path in settings.home.glob("*.duckdb")) == [
        "ledger.duckdb",
        "raw.duckdb",
    ]
    assert not list(settings.home.glob(".counterfoil-*"))
