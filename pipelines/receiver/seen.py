"""What was taken in the last minutes: by it a call that comes once more is told from a new one.

Kept on disk too, since a receiver may be killed and start again. Only digests stand there, in
generations of one span each, so that forgetting is dropping a file.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

PREFIX = ".seen-"
_DIGITS = 32


class Seen:
    """Digests of the calls that were taken, for one thread that asks and one that writes.

    Args:
        folder: the spool's folder.
        span: for how long a signature can be good at all, in seconds.
        now: unix seconds.
    """

    def __init__(self, folder: Path, span: float, now: float) -> None:
        self._folder = folder
        self._span = span
        self._generations: dict[int, set[str]] = {}
        for path in folder.glob(f"{PREFIX}*"):
            begun = path.name.removeprefix(PREFIX)
            if begun.isdecimal() and int(begun) > now - 2 * span:
                lines = path.read_text(encoding="ascii", errors="replace").split("\n")
                self._generations[int(begun)] = {line for line in lines if len(line) == _DIGITS}
            else:
                path.unlink(missing_ok=True)
        self._handle = -1
        self._begin(now)

    def take(self, path: str, timestamp: str, body: bytes) -> str | None:
        """The digest of a new call, which from now on is no new one; None of one that was seen.

        Of what is signed, and not of the signature, which may be spelled in several ways.
        """
        digest = hashlib.sha256(f"{path}\n{timestamp}\n".encode() + body).hexdigest()[:_DIGITS]
        if any(digest in seen for seen in self._generations.values()):
            return None
        self._generations[self._current].add(digest)
        return digest

    def forget(self, digest: str) -> None:
        """A call that was not kept after all: it may come again."""
        for seen in self._generations.values():
            seen.discard(digest)

    def write(self, digests: Iterable[str]) -> None:
        """Put digests on disk.

        Raises:
            OSError: they could not be written.
        """
        # a line of its own first: the one before may be torn
        text = "".join(f"\n{digest}" for digest in digests) + "\n"
        _write_all(self._handle, text.encode("ascii"))
        os.fdatasync(self._handle)

    def turn(self, now: float) -> None:
        """Begin the next generation when it is time, and forget what can be good no more."""
        if now - self._current >= self._span:
            self._begin(now)
        young = {
            begun: seen for begun, seen in self._generations.items() if begun > now - 2 * self._span
        }
        # in one step: another thread may be asking
        old, self._generations = set(self._generations) - set(young), young
        for begun in old:
            (self._folder / f"{PREFIX}{begun}").unlink(missing_ok=True)

    def close(self) -> None:
        """Let go of the file."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1

    def _begin(self, now: float) -> None:
        self.close()
        begun = int(now)
        path = self._folder / f"{PREFIX}{begun}"
        self._handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._generations = {begun: set(), **self._generations}
        self._current = begun


def _write_all(handle: int, content: bytes) -> None:
    view = memoryview(content)
    while view:
        view = view[os.write(handle, view) :]
