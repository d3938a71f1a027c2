"""What a file holds: read once, whole, and told apart from what stands there afterwards."""

from __future__ import annotations

import hashlib
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pipelines.loading.bounds import MB, MOST_UNPACKED, UNPACKED_FREELY

CHANGED = "it was changed while it was being read: run it again"
NO_FILE = "it is not a readable file (a dangling link or a special file)"
HOLES = "it takes next to no room on the disk for the size that it says"

# A second change within one tick of a file system's clock leaves no trace. Some tick in seconds.
_TICK_NS, _COARSE_TICK_NS = 20_000_000, 2_000_000_000
_AT_ONCE = MB // 4


class Unreadable(Exception):
    """A file that cannot be opened at all; the message is a reason for the quarantine."""


@dataclass(frozen=True)
class Held:
    """What was read: its digest, and the marks by which a change would show.

    `stamp` says when it was changed, and is empty where the next change might not show in it.
    """

    path: Path
    content_hash: str
    size: int
    modified: float
    stamp: str
    marks: tuple[int, ...]


def read(path: Path) -> Held:
    """Read a file of this machine from end to end.

    Raises:
        Unreadable: it is no plain file, or it changed on the way.
        OSError: it cannot be opened.
    """
    with _opened(path) as (handle, status):
        started = time.time_ns()
        content_hash = _digest(handle, status.st_size)
        if _marks(os.fstat(handle)) != _marks(status):
            raise Unreadable(CHANGED)
    return Held(
        path=path,
        content_hash=content_hash,
        size=status.st_size,
        modified=status.st_mtime,
        stamp=str(status.st_mtime_ns) if _is_past(status.st_mtime_ns, started) else "",
        marks=_marks(status),
    )


def is_as_held(held: Held) -> bool:
    """Whether what stands at the path is still what was read there."""
    try:
        with _opened(held.path) as (handle, status):
            now = _marks(status)
            if now == held.marks:
                return True
            # another name or other rights touch the last mark only, and so does a clock set back
            return now[:-1] == held.marks[:-1] and (
                _digest(handle, status.st_size) == held.content_hash
            )
    except (OSError, Unreadable):
        return False


@contextmanager
def _opened(path: Path) -> Iterator[tuple[int, os.stat_result]]:
    # without waiting: a pipe that nobody writes to would never open
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | getattr(os, "O_NONBLOCK", 0))
    try:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            raise Unreadable(NO_FILE)
        if _is_hollow(handle, status):
            raise Unreadable(HOLES)
        yield handle, status
    finally:
        os.close(handle)


def _is_hollow(handle: int, status: os.stat_result) -> bool:
    """Whether hardly anything of a large file is on the disk: a terabyte of nothing costs nothing.

    Few blocks alone may be the work of a file system that packs.
    """
    blocks = getattr(status, "st_blocks", None)
    if blocks is None or status.st_size <= max(UNPACKED_FREELY, blocks * 512 * MOST_UNPACKED):
        return False
    try:
        return os.lseek(handle, 0, os.SEEK_HOLE) < status.st_size
    except (OSError, AttributeError):
        return False
    finally:
        os.lseek(handle, 0, os.SEEK_SET)


def _is_past(changed: int, now: int) -> bool:
    """Whether the next change would get another time than `changed`, in nanoseconds."""
    tick = _TICK_NS if changed % 1_000_000_000 else _COARSE_TICK_NS
    return changed < now - tick


def _marks(status: os.stat_result) -> tuple[int, ...]:
    return (
        status.st_dev,
        status.st_ino,
        status.st_size,
        status.st_mtime_ns,
        status.st_ctime_ns,
    )


def _digest(handle: int, size: int) -> str:
    """Of so many bytes and no more, however many come."""
    digest = hashlib.sha256()
    while size > 0 and (part := os.read(handle, min(size, _AT_ONCE))):
        digest.update(part)
        size -= len(part)
    if size > 0 or os.read(handle, 1):
        raise Unreadable(CHANGED)
    return digest.hexdigest()
