"""Whatever becomes of a file of the home, each command ends with a sentence, and names nobody."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from conftest import PROVE
from publisher_home import FAST, OPEN, Home, told_home
from typer.testing import CliRunner, Result

from cli import app
from pipelines.heap.planning import make_plan
from pipelines.sandbox import running_sandbox

SOMEBODY = re.compile(r"shopper\d|@shop\.example")
ADVICE = re.compile(
    r"(?i)\b(run|move|remove|restore|check|set|make|name|use|load|build|give|close|mend)\b"
)
ERASE = ["erase", "stranger@elsewhere.example"]


def emptied(path: Path) -> None:
    os.truncate(path, 0)


def cut_in_half(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def garbage_first(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(os.urandom(8192))


def garbage_within(path: Path) -> None:
    size = path.stat().st_size
    with path.open("r+b") as file:
        for place in range(size // 4, size, max(size // 16, 1)):
            file.seek(place)
            file.write(b"shopper1@shop.example\xff\x00" * 8)


def taken_away(path: Path) -> None:
    shutil.rmtree(path) if path.is_dir() else path.unlink()


def a_folder(path: Path) -> None:
    taken_away(path)
    path.mkdir()
    (path / "inside").write_text("shopper1@shop.example")


def a_text(path: Path) -> None:
    taken_away(path)
    path.write_text("of shopper1@shop.example\n" * 900)


def a_link_to_nowhere(path: Path) -> None:
    taken_away(path)
    path.symlink_to(path.parent / "nowhere" / "at" / "all")


def a_link_to_itself(path: Path) -> None:
    taken_away(path)
    path.symlink_to(path)


def a_pipe(path: Path) -> None:
    taken_away(path)
    os.mkfifo(path)


def unreadable(path: Path) -> None:
    path.chmod(0)


def may_only_be_read(path: Path) -> None:
    path.chmod(0o500 if path.is_dir() else 0o400)


HARMS = {
    harm.__name__: harm
    for harm in (
        emptied, cut_in_half, garbage_first, garbage_within, a_folder, a_text, a_link_to_nowhere,
        a_link_to_itself, unreadable, may_only_be_read,
    )
}  # fmt: skip
RIGHTS = {"unreadable", "may_only_be_read"}
"""What only an ordinary user is kept from."""
PLAN = ["publish", "--plan", "PLAN", "--max-minutes", "0.01"]
PUBLISH = ["publish", "--max-minutes", "0.01"]
LOAD, BUILD = ["load", "EXPORT"], ["build"]
READERS = [
    ["plan"], ["review"], PUBLISH, ["checklist"], ERASE, ["explain", "person", "person1"],
    ["identity", "check"], ["deadletters", "retry"], ["explain", "told"], ["identity", "sample"],
    ["explain", "delivery", "delivery1"], ["explain", "number", "--list"], ["deadletters", "list"],
]  # fmt: skip
COMMANDS: dict[str, list[list[str]]] = {
    "raw.duckdb": [LOAD, ERASE, BUILD],
    "warehouse.duckdb": READERS,
    "ledger.duckdb": READERS,
    "manifest.json": READERS,
    "plans/PLAN": [PLAN, ["plan"], ERASE],
    "publisher.lock": [["plan"], PUBLISH, ERASE],
    "warehouse.lock": [LOAD, ERASE],
    ".": [LOAD, *READERS, BUILD],
}
OF_FILES = {"emptied", "cut_in_half", "garbage_first", "garbage_within"}
BUILDS = {
    ("raw.duckdb", "garbage_within"), (".", "a_folder"), (".", "a_link_to_nowhere"),
}  # fmt: skip
"""Where a build would have nothing to complain of, and take its time."""
FATAL = set(HARMS) - {"garbage_within", "may_only_be_read"}
OPEN_BOTH = ([LOAD, BUILD], [["plan"], PUBLISH])
"""What cannot but open raw.duckdb, and the two others."""


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Home:
    with running_sandbox(limits=OPEN) as sandbox:
        home = told_home(tmp_path_factory.mktemp("damage"), sandbox.url)
        home.sent(10, start=30)
        make_plan(home.settings, home.console, limits=FAST, out=home.settings.plans_dir / "PLAN")
    (home.path / "publisher.lock").write_text("of shopper1@shop.example")
    (home.path / "warehouse.lock").write_text("")
    return home


class Damaged:
    """Copies of the home, one for each run, of which one thing is damaged."""

    def __init__(
        self,
        whole: Home,
        folder: Path,
        an_owner: Callable[[], AbstractContextManager[None]],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        self.whole, self.folder, self.an_owner = whole, folder, an_owner
        self.monkeypatch = monkeypatch
        self.export = Path(shutil.copytree(whole.path.parent / "export", folder / "export"))
        for name, value in {
            "HEAP_APP_ID": "1234567", "HEAP_REGION": "eu", "HEAP_URL": "http://127.0.0.1:9",
            "HEAP_API_KEY": "key",
        }.items():  # fmt: skip
            monkeypatch.setenv(name, value)

    def run(self, target: str, harm: str, command: list[str]) -> Result:
        """One command on a fresh copy with that damage, as its owner where rights matter."""
        place = Path(tempfile.mkdtemp(dir=self.folder))
        home = Path(shutil.copytree(self.whole.path, place / "home"))
        if harm not in RIGHTS:
            HARMS[harm](home / target)
            return self.invoke(home, command)
        warm = Path(tempfile.mkdtemp(dir=self.folder)) / "home"
        self.invoke(Path(shutil.copytree(self.whole.path, warm)), command)  # imports what it needs
        HARMS[harm](home / target)
        with self.an_owner():
            return self.invoke(home, command)

    def invoke(self, home: Path, command: list[str]) -> Result:
        named = {"EXPORT": str(self.export), "PLAN": str(home / "plans" / "PLAN")}
        self.monkeypatch.setenv("COUNTERFOIL_HOME", str(home))
        return CliRunner().invoke(app, [named.get(word, word) for word in command])


@pytest.fixture
def damaged(
    whole: Home,
    open_folder: Path,
    an_owner: Callable[[], AbstractContextManager[None]],
    monkeypatch: pytest.MonkeyPatch,
) -> Damaged:
    return Damaged(whole, open_folder, an_owner, monkeypatch)


def commands_for(target: str, harm: str) -> list[list[str]]:
    """All of them, or two whose turn it is."""
    is_long = (target, harm) in BUILDS or harm in RIGHTS
    held = [c for c in COMMANDS[target] if c != BUILD or not is_long]
    turn = 0 if PROVE else list(HARMS).index(harm) * 2
    return [held[(turn + n) % len(held)] for n in range(len(held) if PROVE else 2)]


@pytest.mark.parametrize("harm", HARMS)
@pytest.mark.parametrize("target", COMMANDS)
def test_a_damaged_home_is_told_in_a_sentence(damaged: Damaged, target: str, harm: str) -> None:
    if target == "." and harm in OF_FILES:
        return  # a folder has no bytes of its own
    for command in commands_for(target, harm):
        told = damaged.run(target, harm, command)
        assert told.exit_code in (0, 1, 2), (command, told.output)
        assert "unexpected" not in told.output, (command, told.output)
        assert "Traceback" not in told.output, (command, told.output)
        if told.exit_code:
            assert told.stderr.startswith("Error: "), (command, told.output)
            assert ADVICE.search(told.stderr), (command, told.stderr)
            assert not SOMEBODY.search(told.output), (command, told.output)
        if target.endswith(".duckdb") and harm in FATAL:
            is_opened = command in OPEN_BOTH[target != "raw.duckdb"]
            assert target in told.stderr or not is_opened, (command, told.output)


@pytest.mark.parametrize("name", ["raw", "warehouse", "ledger", "copy-of-may"])
def test_nobody_is_erased_while_a_database_is_away(damaged: Damaged, name: str) -> None:
    """Its disk is not there: what it holds of the person would come back with it."""
    (damaged.whole.path / f"{name}.duckdb").touch()
    try:
        told = damaged.run(f"{name}.duckdb", "a_link_to_nowhere", ["erase", "person1"])
    finally:
        if name == "copy-of-may":
            (damaged.whole.path / f"{name}.duckdb").unlink()
    assert told.exit_code == 1
    assert f"{name}.duckdb is a link that leads nowhere: bring back" in told.stderr


def test_a_folder_in_which_no_log_can_be_made_is_named(damaged: Damaged) -> None:
    """The ledger itself may be written: what cannot be is seen in the middle of the work."""
    told = damaged.run(".", "may_only_be_read", PUBLISH)
    assert told.exit_code == 1
    assert "state folder" in told.stderr
    assert "permission denied" in told.stderr
