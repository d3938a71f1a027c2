"""The state folder: for its owner only at any moment, of any name; nothing leaves it unasked."""

from __future__ import annotations

import os
import stat
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path

import duckdb
import pytest
from exports import behavior_file
from network_guard import Guarded
from segment_world import copy_project
from small_disk import room

from pipelines import loading, registries
from pipelines.console import Console
from pipelines.errors import CounterfoilError, UsageError
from pipelines.heap.ledger import Ledger
from pipelines.home import private, replacing
from pipelines.identity.sample import COLUMNS
from pipelines.loading import raw
from pipelines.sample import write_sample
from pipelines.segments.lock import LOCK_PATH
from pipelines.settings import PROJECT_DIR, Settings
from pipelines.warehouse import invoke

CLI = str(PROJECT_DIR / "cli.py")
AS_OF = "2026-06-01T00:00:00"


def loose(folder: Path) -> dict[str, str]:
    """Everything in a folder, and itself, that others than its owner have rights to."""
    found = {}
    for parent, folders, names in os.walk(folder):
        for path in (Path(parent), *(Path(parent) / name for name in (*folders, *names))):
            with suppress(FileNotFoundError):  # it may go while we look
                mode = path.lstat().st_mode
                if mode & 0o077 and not stat.S_ISLNK(mode):
                    found[str(path.relative_to(folder))] = oct(stat.S_IMODE(mode))
    return found


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def open_up(home: Path) -> None:
    """Give a home the rights that it had before it was kept private."""
    for path in (home, *home.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)


@contextmanager
def umask(mask: int) -> Iterator[None]:
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


@contextmanager
def watched(home: Path, seen: dict[str, str]) -> Iterator[None]:
    """Look at a home all the time; `seen` gets what was open to others at any moment."""
    is_over = threading.Event()

    def watch() -> None:
        while not is_over.wait(0.02):
            seen.update(loose(home))

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


# ---------------------------------------------------------------- the real commands


class Lived:
    """A home of an odd name in which every command was run under umask 000, guarded."""

    def __init__(self, base: Path) -> None:
        self.guarded = Guarded(base)
        self.home = base / "home [1] {a,b} #2 *"
        (base / "home 1 a #2 x").mkdir()  # what its name matches as a pattern
        self.brand = base / "brand [x]"
        self.plan = base / "plans [1]" / "plan *.jsonl"
        self.sheet = base / "sheet.csv"
        self.sheet.write_text(",".join(COLUMNS) + "\n")
        self.open_at_any_moment: dict[str, str] = {}
        with watched(self.home, self.open_at_any_moment):
            self.run("sample", str(self.brand), "--people", "60")
            self.run("load", str(self.brand / "export"))
            self.run("build", "--as-of", AS_OF, "--registries", str(self.brand / "seeds"))
            self.run("plan", "--out", str(self.plan))
            self.run("review")
            self.run("checklist", codes=(0, 1))
            self.run("identity", "sample", "--out", str(self.sheet))

    def run(self, *arguments: str, codes: tuple[int, ...] = (0,)) -> str:
        done = self.guarded.run(CLI, *arguments, umask=0, COUNTERFOIL_HOME=str(self.home))
        assert done.returncode in codes, done.stdout + done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Lived:
    return Lived(tmp_path_factory.mktemp("lived"))


def test_no_command_reaches_out_or_writes_into_the_users_home(lived: Lived) -> None:
    assert lived.guarded.reached() == []
    assert lived.guarded.held() == lived.guarded.before
    assert not (PROJECT_DIR / ".user.yml").exists()


def test_the_guard_sees_who_reaches_out(tmp_path: Path) -> None:
    guarded = Guarded(tmp_path, "127.0.0.1")
    others = ["192.0.2.1", "telemetry.invalid", "localhost", "127.0.0.2"]
    for host in others:
        script = f"import socket; socket.create_connection(('{host}', 443), timeout=1)"
        assert guarded.run("-c", script).returncode == 1
    assert guarded.run("-c", "import socket; socket.getaddrinfo('127.0.0.1', 80)").returncode == 0
    assert [line.split()[-1] for line in guarded.reached()] == others


def test_a_home_of_any_name_is_read_as_itself(lived: Lived) -> None:
    assert list((lived.home.parent / "home 1 a #2 x").iterdir()) == []
    with duckdb.connect(str(lived.home / "warehouse.duckdb"), read_only=True) as warehouse:
        [(persons,)] = warehouse.execute("select count(*) from marts.dim_persons").fetchall()
        [(names,)] = warehouse.execute("select count(*) from registries.message_names").fetchall()
    assert persons >= 50
    assert names > 0
    assert {path.name for path in lived.home.iterdir()} >= {"manifest.json", "reviews", "target"}


def test_nobody_else_may_enter_the_home_at_any_moment(lived: Lived) -> None:
    assert loose(lived.home) == {}
    assert lived.open_at_any_moment == {}
    assert (lived.home / "ledger.duckdb").is_file()


def test_what_was_asked_for_outside_the_home(lived: Lived) -> None:
    assert {mode(path) for path in (lived.brand / "export").rglob("*.parquet")} == {0o666}
    assert mode(lived.plan) == 0o600, "it names people"
    assert mode(lived.sheet) == 0o600, "it names people"


@pytest.mark.parametrize(
    "command",
    ["review", "checklist", "plan", "identity sample", "deadletters list"],
)
def test_a_command_closes_the_home_of_an_older_version(lived: Lived, command: str) -> None:
    open_up(lived.home)
    lived.run(*command.split(), codes=(0, 1))
    assert loose(lived.home) == {}


def test_a_project_below_a_folder_of_any_name_reads_its_own_files(
    tmp_path: Path, settings: Settings
) -> None:
    projects = []
    for name in ("a[b]c 'd'", "abc 'd'"):  # as a pattern, the first one's name means the second
        (tmp_path / name).mkdir()
        projects.append(copy_project(tmp_path / name))
    for registry in (projects[1] / "seeds").glob("*.csv"):
        registry.write_text(registry.read_text().splitlines()[0] + "\n")
    (projects[1] / LOCK_PATH).write_text("cart_abandoner_v1: {fingerprint: another}\n")
    loading.ensure_raw(settings)
    invoke(settings, projects[0] / "seeds", ["seed"], project=projects[0])
    with duckdb.connect(str(settings.warehouse_path), read_only=True) as warehouse:
        for registry in (projects[0] / "seeds").glob("*.csv"):
            [(count,)] = warehouse.execute(
                f"select count(*) from registries.{registry.stem}"
            ).fetchall()
            assert count == len(registry.read_text().splitlines()) - 1, registry.stem


# ---------------------------------------------------------------- the parts


@pytest.fixture(params=[0, 0o022, 0o077, 0o277], ids=oct)
def any_umask(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[None]:
    """Set when pytest's own folder is there already."""
    with umask(request.param):
        yield


def test_databases_and_their_logs_are_born_private(any_umask: None, settings: Settings) -> None:
    with Ledger(settings) as ledger, raw.opened(settings, loading.FAMILIES) as connection:
        ledger.db.execute("create table held as select 1 as one")
        connection.execute("create table held as select 1 as one")
        logs = {path.name for path in settings.home.glob("*.wal")}
        assert logs == {"ledger.duckdb.wal", "raw.duckdb.wal"}
        assert loose(settings.home) == {}
    assert loose(settings.home) == {}


def test_what_spills_is_born_private(settings: Settings) -> None:
    small = settings.model_copy(update={"memory_limit": "60MB", "threads": 1})
    with umask(0), Ledger(small) as ledger:
        ledger.db.execute("create temp table held as select range, random() from range(6000000)")
        assert list((settings.home / "tmp").iterdir())
        assert loose(settings.home) == {}


def test_loading_closes_an_older_home_and_follows_no_link(
    settings: Settings, tmp_path: Path
) -> None:
    behavior_file(tmp_path / "export" / "behavior.csv", "e1")
    settings.home.mkdir()
    (settings.home / "reviews").mkdir()
    (settings.home / "reviews" / "old.html").write_text("names")
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / "letter.txt").write_text("keep")
    (settings.home / "exports").symlink_to(tmp_path / "theirs")
    (settings.home / "letter.txt").symlink_to(tmp_path / "theirs" / "letter.txt")
    with umask(0o022):
        open_up(settings.home)
        open_up(tmp_path / "theirs")
        loading.load([str(tmp_path / "export")], settings, Console(as_json=True))
        assert loose(settings.home) == {}
    assert mode(tmp_path / "theirs" / "letter.txt") == 0o644
    assert mode(tmp_path / "theirs") == 0o755


def test_a_home_is_private_before_the_first_byte(settings: Settings, tmp_path: Path) -> None:
    seen: dict[str, str] = {}
    (tmp_path / "seeds").mkdir()
    (tmp_path / "seeds" / "workspaces.csv").write_text("workspace_id,name,time_zone\n1,One,UTC\n")
    with umask(0), watched(settings.home, seen):
        registries.compose(settings, tmp_path / "seeds")
        loading.ensure_raw(settings)
        time.sleep(0.1)
    assert seen == {}


def test_blocks_may_end_in_any_order_and_give_the_umask_back(tmp_path: Path) -> None:
    with umask(0o022):
        first, second = private(tmp_path / "one"), private(tmp_path / "two")
        for block in (first, second):
            block.__enter__()
        first.__exit__(None, None, None)
        (tmp_path / "two" / "file").touch()
        second.__exit__(None, None, None)
        (tmp_path / "file").touch()
    assert (mode(tmp_path / "two" / "file"), mode(tmp_path / "file")) == (0o600, 0o644)


def test_files_for_the_user_keep_the_users_rights(tmp_path: Path, settings: Settings) -> None:
    with umask(0o022):
        loading.ensure_raw(settings)
        write_sample(tmp_path / "brand", people=5, console=Console(as_json=True))
        with replacing(tmp_path / "sheet.csv", lambda _: True, "a sheet") as sheet:
            sheet.write(b"names")
    assert {mode(path) for path in (tmp_path / "brand" / "seeds").iterdir()} == {0o644}
    assert mode(tmp_path / "sheet.csv") == 0o600


def test_a_file_takes_its_place_once_it_is_whole_and_no_other_file_goes(tmp_path: Path) -> None:
    path, beside = tmp_path / "sheet.csv", tmp_path / "sheet.csv.partial"
    beside.write_text("of the user")

    def is_sheet(found: Path) -> bool:
        return found.read_bytes().startswith(b"sheet")

    for _ in range(2):
        with replacing(path, is_sheet, "a sheet") as out:
            out.write(b"sheet")
    with pytest.raises(ZeroDivisionError), replacing(path, is_sheet, "a sheet") as out:
        out.write(bytes([1 // 0]))
    assert path.read_bytes() == b"sheet"
    assert {found.name for found in tmp_path.iterdir()} == {path.name, beside.name}

    folder, pipe, link = tmp_path / "folder", tmp_path / "pipe", tmp_path / "link"
    folder.mkdir()
    os.mkfifo(pipe)
    link.symlink_to(beside)
    for taken, words in {
        beside: "not a sheet, so it is not overwritten",
        link: "not a sheet, so it is not overwritten",
        pipe: "not a sheet, so it is not overwritten",
        folder: "is a folder: name a file",
        path / "below": "cannot be written",
        tmp_path / ("x" * 300): "cannot be written",
    }.items():
        with pytest.raises(UsageError, match=words), replacing(taken, is_sheet, "a sheet") as out:
            out.write(b"sheet")
    assert beside.read_text() == "of the user"
    assert pipe.is_fifo()
    assert link.is_symlink()


def test_a_full_disk_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "sheet.csv"
    path.write_bytes(b"before")
    with (
        room(1000),
        pytest.raises(CounterfoilError, match="cannot be written"),
        replacing(path, lambda _: True, "a sheet") as out,
    ):
        out.write(b"after" * 1000)
    assert [(found.name, found.read_bytes()) for found in tmp_path.iterdir()] == [
        (path.name, b"before")
    ]


def test_a_home_that_cannot_be_private_is_named(
    tmp_path: Path,
    settings: Settings,
    nobody: Callable[[], AbstractContextManager[None]],
) -> None:
    def refused(home: Path, kind: type[CounterfoilError], words: str) -> None:
        before = home.lstat().st_mode if os.path.lexists(home) else None
        with pytest.raises(kind, match=words):
            loading.ensure_raw(settings.model_copy(update={"home": home}))
        assert (home.lstat().st_mode if os.path.lexists(home) else None) == before

    (tmp_path / "project").symlink_to(PROJECT_DIR)
    (tmp_path / "file").write_text("")
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o1777)
    refused(tmp_path / "file", CounterfoilError, "cannot be written .File exists")
    refused(tmp_path / "what?", UsageError, "question mark or a backslash")
    refused(tmp_path / "back\\slash", UsageError, "question mark or a backslash")
    refused(shared, UsageError, "holds more than Counterfoil's state")
    refused(PROJECT_DIR, UsageError, "holds more than Counterfoil's state")
    with pytest.MonkeyPatch.context() as patch:
        (tmp_path / "user" / "letters").mkdir(parents=True)
        patch.setenv("HOME", str(tmp_path / "user"))
        refused(tmp_path / "user", UsageError, "holds more than Counterfoil's state")
        if os.geteuid() == 0:
            refused(Path("/etc"), UsageError, "holds more than Counterfoil's state")
    refused(tmp_path / "project", UsageError, "holds more than Counterfoil's state")
    with nobody():
        refused(Path("/usr"), CounterfoilError, "belongs to another user")


def test_a_link_may_lead_to_the_home(tmp_path: Path, settings: Settings) -> None:
    (tmp_path / "real").mkdir(mode=0o755)
    (tmp_path / "link").symlink_to(tmp_path / "real")
    loading.ensure_raw(settings.model_copy(update={"home": tmp_path / "link"}))
    assert (tmp_path / "link").is_symlink()
    assert stat.S_IMODE((tmp_path / "real").stat().st_mode) == 0o700
    assert (tmp_path / "real" / "raw.duckdb").stat().st_mode & 0o077 == 0


def test_a_home_is_where_it_was_when_the_command_began() -> None:
    assert Settings.model_validate({"COUNTERFOIL_HOME": "md:x"}).home == Path.cwd() / "md:x"
    assert Settings.model_validate({"COUNTERFOIL_HOME": "~/x"}).home == Path.home() / "x"


def test_the_databases_fetch_no_extension(settings: Settings) -> None:
    asked = "select current_setting('autoinstall_known_extensions')"
    with Ledger(settings) as ledger, raw.opened(settings, loading.FAMILIES) as connection:
        assert ledger.db.execute(asked).fetchall() == [(False,)]
        assert connection.execute(asked).fetchall() == [(False,)]


@pytest.mark.parametrize("road", ["model", "arrow"])
def test_a_load_starts_no_telemetry(tmp_path: Path, road: str) -> None:
    behavior_file(tmp_path / "export" / "behavior.csv", "e1")
    guarded = Guarded(tmp_path / "guarded")
    script = (
        "import sys; from pathlib import Path; from pipelines import loading;"
        "from pipelines.console import Console; from pipelines.settings import Settings;"
        "loading.load_unlocked([sys.argv[1]], Settings(), Console(as_json=True), sys.argv[2]);"
        "from dlt.common.runtime import anon_tracker as t; assert t._ANON_TRACKER_ENDPOINT is None"
    )
    done = guarded.run(
        "-c", script, str(tmp_path / "export"), road, COUNTERFOIL_HOME=str(tmp_path / "home")
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert guarded.reached() == []
    assert guarded.held() == guarded.before


def test_a_load_silences_a_dlt_that_was_used_before(tmp_path: Path) -> None:
    behavior_file(tmp_path / "export" / "behavior.csv", "e1")
    guarded = Guarded(tmp_path / "guarded")
    script = (
        "import sys, dlt; dlt.destinations.duckdb().capabilities(); import runpy;"
        "sys.argv[0] = 'counterfoil'; runpy.run_path(sys.argv.pop(1), run_name='__main__')"
    )
    done = guarded.run(
        "-c", script, CLI, "load", str(tmp_path / "export"), COUNTERFOIL_HOME=str(tmp_path / "home")
    )
    assert done.returncode == 0, done.stderr
    assert guarded.reached() == []
