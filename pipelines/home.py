"""The state folder is for its owner only: made so, mended when it is not, and kept so."""

from __future__ import annotations

import os
import stat
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import RLock
from typing import IO

from pipelines.errors import CounterfoilError, UsageError
from pipelines.paths import can_hold_database
from pipelines.settings import PROJECT_DIR

OTHERS = 0o077
UNFINISHED, PARTIAL = ".counterfoil-", ".partial"
"""How the name of a file that is not whole yet begins, and ends."""
OWN_IT = "check its permissions or set COUNTERFOIL_HOME to a folder you own"
"""What to do where something of the state folder may not be read or written."""
_lock = RLock()
_open: Counter[Path] = Counter()
_umask: list[int] = []  # as it was before the first home was opened


@contextmanager
def private(home: Path) -> Iterator[None]:
    """Keep `home` and everything that is made in it from all but its owner, for the block.

    Files are born so, by the process's umask: the databases, their logs and what spills from them.
    What an older version or anybody else left open is closed on the way in. Blocks may be nested,
    and end in any order.

    Raises:
        UsageError: no database can be kept there, or the folder is not ours to close.
        CounterfoilError: it belongs to somebody else, or cannot be made or closed.
    """
    with _lock:
        if not _open:
            _umask.append(os.umask(OTHERS))
        _open[home] += 1
        is_first = _open[home] == 1
    try:
        if is_first:
            _make_private(home)
        yield
    finally:
        with _lock:
            _open[home] -= 1
            if not _open[home]:
                del _open[home]
            if not _open:
                os.umask(_umask.pop())


def require_free(path: Path, is_ours: Callable[[Path], bool], what: str) -> None:
    """Make sure that a file may be written at `path`: there is none, or one of the same kind.

    Args:
        is_ours: whether an ordinary file that is there is `what`, so that a new one may replace it.
        what: how a message calls it, such as `a plan`.

    Raises:
        UsageError: a folder or another file is there.
    """
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return
    except OSError as error:
        raise UsageError(
            f"{path} cannot be written ({error.strerror}): name another file with --out."
        ) from error
    if stat.S_ISDIR(mode):
        raise UsageError(f"{path} is a folder: name a file with --out.")
    if not (stat.S_ISREG(mode) and is_ours(path)):
        raise UsageError(
            f"{path} is there already and is not {what}, so it is not overwritten: name another "
            "file with --out."
        )


@contextmanager
def replacing(path: Path, is_ours: Callable[[Path], bool], what: str) -> Iterator[IO[bytes]]:
    """A file for its owner only, which takes its place once all of it is written; see require_free.

    Raises:
        UsageError: a folder or another file is there.
        CounterfoilError: it cannot be written.
    """
    require_free(path, is_ours, what)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # a name of its own: a fixed one beside `path` could be somebody's file
        handle, name = tempfile.mkstemp(PARTIAL, UNFINISHED, path.parent)
        try:
            with os.fdopen(handle, "wb") as out:
                yield out
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise CounterfoilError(
            f"{path} cannot be written ({error.strerror}): make room there, check its permissions, "
            "or name another file with --out."
        ) from error


def to_disk(path: Path) -> None:
    """Let a file, or the names in a folder, be on disk before this returns."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _make_private(home: Path) -> None:
    if not can_hold_database(home):
        raise UsageError(
            "The path of the state folder holds a question mark or a backslash, and DuckDB opens no"
            " database there: set COUNTERFOIL_HOME to another folder."
        )
    home = home.resolve()  # a link may lead there
    try:
        home.mkdir(parents=True, exist_ok=True)
        status = home.stat()
    except OSError as error:
        raise CounterfoilError(
            f"The state folder cannot be written ({error.strerror}): {OWN_IT}."
        ) from error
    if os.geteuid() not in (status.st_uid, 0):
        raise CounterfoilError(f"The state folder {home} belongs to another user: {OWN_IT}.")
    if _holds_more(home, status):
        raise UsageError(
            f"The state folder {home} holds more than Counterfoil's state, and is made private: "
            "set COUNTERFOIL_HOME to a folder of its own."
        )
    try:
        _close(home, status)
    except OSError as error:
        raise CounterfoilError(
            f"The state folder {home} cannot be closed to other users ({error.strerror}): set "
            "COUNTERFOIL_HOME to a folder whose permissions you may change."
        ) from error
    for parent, folders, names in os.walk(home):
        for name in (*folders, *names):
            path = Path(parent) / name
            # what is another user's stays so: nobody else comes through the folder any more
            with suppress(OSError):
                _close(path, path.lstat())


def _close(path: Path, status: os.stat_result) -> None:
    mode = stat.S_IMODE(status.st_mode)
    if mode & OTHERS and not stat.S_ISLNK(status.st_mode):
        path.chmod(mode & ~OTHERS)


def _holds_more(home: Path, status: os.stat_result) -> bool:
    """Whether closing `home` would close what everybody, the user or the project lives in."""
    inside = [PROJECT_DIR]
    is_lived_in = len(home.parts) <= 2  # `/etc`, `/srv`
    with suppress(RuntimeError):  # a user without a home
        user = Path.home().resolve()
        inside.append(user.parent)
        is_lived_in = is_lived_in or home == user
    return (
        bool(status.st_mode & stat.S_ISVTX)
        or any(path.is_relative_to(home) for path in inside)
        or (is_lived_in and any(home.iterdir()) and not any(home.glob("*.duckdb")))
    )
