"""What every test may ask for: the real data when it is there, and state folders of its own."""

from __future__ import annotations

import ctypes
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from audience_world import World, audience, compiled_models, settings_of
from publisher_home import OPEN

from pipelines.sandbox import Sandbox, running_sandbox
from pipelines.settings import PROJECT_DIR, Settings

PROVE = os.environ.get("COUNTERFOIL_PROVE") == "1"
"""Set by `make prove`: full example counts."""

KILLS = 200
"""Of each command that writes, spread over the length of its run, at full count."""


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name a case of bytes by its place: packed bytes hold the second that they were packed in.

    With the bytes in their names, two workers that import one second apart collect other tests.
    """
    return argname if isinstance(val, bytes) else None


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how often a proof did what it is about, as it noted with `record_property`."""
    told = [
        f"{report.nodeid.rpartition('/')[2]}: {value} {name}"
        for kind in ("passed", "failed")
        for report in terminalreporter.stats.get(kind, [])
        for name, value in getattr(report, "user_properties", [])
    ]
    if told:
        terminalreporter.section("counts")
        for line in told:
            terminalreporter.line(line)


@pytest.fixture
def note(record_property: Callable[[str, object], None]) -> Callable[[str, int], None]:
    """Note what a proof did, and how often: see `pytest_terminal_summary`."""
    return record_property


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test sees the settings of whoever runs it."""
    for name in list(os.environ):
        if name.startswith(("HEAP_", "CUSTOMERIO_", "COUNTERFOIL_")) and name not in {
            "COUNTERFOIL_PROVE",
            "COUNTERFOIL_SHARED_DATA",
        }:
            monkeypatch.delenv(name)


def data_folder() -> Path | None:
    """The folder of real data where it is on this machine."""
    default = PROJECT_DIR.parent / "shared" / "data"
    folder = Path(os.environ.get("COUNTERFOIL_SHARED_DATA", default))
    return folder if folder.is_dir() else None


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data; tests that need it are left out where it is absent."""
    folder = data_folder()
    if folder is None:
        pytest.skip("the real data is not on this machine (COUNTERFOIL_SHARED_DATA)")
    return folder


NOBODY = 65534
SWIFT_BYTES = 1 << 30


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that an ordinary user owns and can reach, wherever pytest's own folders lie."""
    for place in (Path(tempfile.gettempdir()), Path("/tmp"), Path("/var/tmp"), Path("/dev/shm")):
        if all(folder.is_dir() and folder.stat().st_mode & 1 for folder in (place, *place.parents)):
            break
    else:
        pytest.skip("there is no folder here that another user could enter")
    with tempfile.TemporaryDirectory(dir=place) as name:
        folder = Path(name)
        folder.chmod(0o755)
        if os.geteuid() == 0:
            os.chown(folder, NOBODY, -1)
        yield folder


@pytest.fixture
def nobody(monkeypatch: pytest.MonkeyPatch) -> Callable[[], AbstractContextManager[None]]:
    """A block without root's rights, where the tests run as root.

    The clone may lie where only root can enter: what the block needs is imported before it.
    """
    monkeypatch.setitem(Settings.model_config, "env_file", None)

    @contextmanager
    def without_rights() -> Iterator[None]:
        is_root = os.geteuid() == 0
        if is_root:
            os.seteuid(NOBODY)
        try:
            yield
        finally:
            if is_root:
                os.seteuid(0)

    return without_rights


OVERRIDES = 1 << 1 | 1 << 2
"""Linux's CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH: why rights of files say nothing to root."""


@pytest.fixture
def an_owner(monkeypatch: pytest.MonkeyPatch) -> Callable[[], AbstractContextManager[None]]:
    """A block in which the rights of files hold for root as for any other owner.

    Unlike `nobody`, it can still read a clone that lies where only root can enter.
    """
    monkeypatch.setitem(Settings.model_config, "env_file", None)

    @contextmanager
    def with_rights_that_hold() -> Iterator[None]:
        if os.geteuid() != 0:
            yield
            return
        libc, head = ctypes.CDLL(None, use_errno=True), (ctypes.c_uint32 * 2)(0x20080522, 0)
        held = (ctypes.c_uint32 * 6)()  # effective, permitted, inheritable; then the higher ones
        assert libc.capget(head, held) == 0
        less = (ctypes.c_uint32 * 6)(*held)
        less[0] &= ~OVERRIDES
        assert libc.capset(head, less) == 0
        try:
            yield
        finally:
            assert libc.capset(head, held) == 0

    return with_rights_that_hold


@pytest.fixture
def heap() -> Iterator[Sandbox]:
    """A local Heap of the test's own, without limits on how much it takes."""
    with running_sandbox(limits=OPEN) as sandbox:
        yield sandbox


@pytest.fixture
def make_settings(tmp_path: Path) -> Callable[..., Settings]:
    """Settings with a state folder of their own; `make_settings("other")` for a second one."""

    def make(name: str = "home", **changes: object) -> Settings:
        settings = Settings(_env_file=None)  # type: ignore[call-arg]
        return settings.model_copy(update={"home": tmp_path / name, **changes})

    return make


@pytest.fixture
def settings(make_settings: Callable[..., Settings]) -> Settings:
    """Settings with a fresh state folder."""
    return make_settings()


@pytest.fixture(scope="session")
def statements(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    """The SQL of the models of audiences and insight."""
    return compiled_models(tmp_path_factory.mktemp("compiled"))


@pytest.fixture
def swift_folder(tmp_path: Path) -> Iterator[Path]:
    """A folder in memory where the machine has room there: many small commits wait for no disk.

    For what is aborted, not for what loses power: a process that dies loses nothing here either.
    """
    memory = Path("/dev/shm")
    if not os.access(memory, os.W_OK) or shutil.disk_usage(memory).free < SWIFT_BYTES:
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(dir=memory) as name:
        yield Path(name)


@pytest.fixture
def make_world(
    swift_folder: Path, heap: Sandbox, statements: Mapping[str, str]
) -> Callable[[str], World]:
    """A world of audiences in a home of that name."""

    def make(name: str) -> World:
        return World(settings_of(swift_folder / name, heap.url), statements, audiences=[audience()])

    return make


@pytest.fixture
def world(make_world: Callable[[str], World]) -> World:
    """A world with one audience and nobody in it."""
    return make_world("home")
