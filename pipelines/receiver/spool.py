"""A spool: bodies on disk, a line each, in files whose names a load knows once they are whole.

A file that is being written begins with a dot, and no load looks at it. It is closed and renamed
when it is large or old enough; what a kill left is looked through first: a line that is no whole
JSON object was never acknowledged, and goes.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import secrets
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from pipelines.errors import CounterfoilError

MOST_BYTES = 32 * 1024 * 1024
"""A file that is larger is closed."""
MOST_SECONDS = 60.0
"""A file that is older is closed: a load finds what came more than a minute ago."""
LOCK, ROTATE = ".lock", ".rotate"
"""Who holds the spool; and what asks whoever holds it to close its files now."""
ROTATE_SECONDS = 10.0
"""How long whoever holds it may take for that."""

_OPEN = re.compile(r"\.[a-z_]+-\d{8}T\d+Z-[0-9a-f]{8}\.jsonl", re.ASCII)
"""A file that is being written, or that a kill left so."""


class Held(CounterfoilError):
    """Another receiver writes to the spool."""


class Spool:
    """The files of a folder that is held by one receiver at a time; a context manager.

    Args:
        folder: made if missing, for its owner only.
        most_bytes, most_seconds: see `MOST_BYTES`, `MOST_SECONDS`.

    Raises:
        CounterfoilError: it cannot be written, or another receiver holds it.
    """

    def __init__(
        self,
        folder: Path,
        *,
        most_bytes: int = MOST_BYTES,
        most_seconds: float = MOST_SECONDS,
    ) -> None:
        self.folder = folder
        self._most_bytes = most_bytes
        self._most_seconds = most_seconds
        self._open: dict[str, _File] = {}
        self._has_left = False
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._lock = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise CounterfoilError(
                f"The spool {folder} cannot be written ({error.strerror}): check its permissions, "
                "or name another folder with --spool."
            ) from error
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(self._lock)
            raise Held(
                f"Another receiver writes to the spool {folder}: stop it, or name another folder "
                "with --spool."
            ) from error
        self.recover()

    def __enter__(self) -> Spool:
        return self

    def __exit__(self, *error: object) -> None:
        try:
            self.rotate()
        finally:
            os.close(self._lock)

    def write(self, lines: Mapping[str, Sequence[bytes]], now: float) -> None:
        """Put lines on disk, by family: on return they would survive a loss of power.

        Raises:
            OSError: some of them could not be written, and none of them counts as written.
        """
        for family, some in lines.items():
            if family not in self._open:
                self._open[family] = _File(self.folder, family, now)
            try:
                self._open[family].append(b"".join(some))
            except OSError:
                # what the system has of this file is not known any more: see `recover`
                self._open.pop(family).abandon()
                self._has_left = True
                raise

    def turn(self, now: float) -> None:
        """Close what is large or old enough, or all of it when somebody asks, as erasure does."""
        asked = self.folder / ROTATE
        if asked.exists():
            self.rotate()
            asked.unlink(missing_ok=True)
        if self._has_left:
            self.recover()
        for family, file in list(self._open.items()):
            if file.size >= self._most_bytes or now - file.begun >= self._most_seconds:
                self._open.pop(family).finish()

    def rotate(self) -> None:
        """Close every file, and what was left by a write that failed."""
        for family in list(self._open):
            self._open.pop(family).finish()
        self.recover()

    def recover(self) -> None:
        """Give what nobody writes any more its name, without the lines that are not whole."""
        kept = {file.path for file in self._open.values()}
        for path in sorted(self.folder.iterdir()):
            if _OPEN.fullmatch(path.name) and path not in kept:
                _mend(path)
                _give_name(path)
        self._has_left = False


def close_files(folder: Path, *, seconds: float = ROTATE_SECONDS) -> None:
    """See to it that whatever was received until now stands in files that a load reads.

    Args:
        folder: a spool; of any other folder nothing is asked.
        seconds: how long whoever writes to it may take.

    Raises:
        CounterfoilError: somebody writes to it and does not answer.
    """
    if not (folder / LOCK).is_file():
        return
    until = time.monotonic() + seconds
    try:
        with Spool(folder):  # nobody writes to it: what a kill left is mended
            return
    except Held as error:
        asked = folder / ROTATE
        asked.touch(mode=0o600)
        while asked.exists():
            if time.monotonic() > until:
                asked.unlink(missing_ok=True)
                raise CounterfoilError(
                    f"The receiver that writes to the spool {folder} does not close its files: "
                    "stop it, then run it again."
                ) from error
            time.sleep(0.05)


class _File:
    """A file that is being written."""

    def __init__(self, folder: Path, family: str, now: float) -> None:
        moment = datetime.fromtimestamp(now, UTC)
        # two of one moment, or of two receivers whose files are loaded together, are two
        name = f".{family}-{moment:%Y%m%dT%H%M%S%fZ}-{secrets.token_hex(4)}.jsonl"
        self.path = folder / name
        self.begun = now
        self.size = 0
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        self._handle = os.open(self.path, flags, 0o600)
        sync_folder(folder)

    def append(self, content: bytes) -> None:
        view = memoryview(content)
        while view:
            view = view[os.write(self._handle, view) :]
        os.fdatasync(self._handle)
        self.size += len(content)

    def abandon(self) -> None:
        os.close(self._handle)

    def finish(self) -> None:
        os.close(self._handle)
        _give_name(self.path)


def _mend(path: Path) -> None:
    """Leave only whole lines in a file that nobody writes any more."""
    before = path.read_bytes()
    lines = before.split(b"\n")
    whole = b"".join(line + b"\n" for line in lines[:-1] if _is_whole(line))
    if whole == before:
        return
    partial = path.with_name(path.name + ".partial")
    with partial.open("wb") as out:
        partial.chmod(0o600)
        out.write(whole)
        out.flush()
        os.fsync(out.fileno())
    partial.replace(path)


def _is_whole(line: bytes) -> bool:
    try:
        return isinstance(json.loads(line.decode()), dict)
    except (ValueError, RecursionError):
        return False


def _give_name(path: Path) -> None:
    if path.stat().st_size:
        path.rename(path.with_name(path.name.removeprefix(".")))
    else:
        path.unlink()
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Put the names of a folder's files on disk."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
