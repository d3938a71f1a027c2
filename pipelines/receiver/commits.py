"""A commit: all bodies that wait are put on disk together, and then all are answered.

A disk takes a few milliseconds to say that something is on it, however much it is; so a busy
receiver waits for it as often as a quiet one.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from pipelines.receiver.seen import Seen
from pipelines.receiver.spool import Spool

MOST_WAITING_BYTES = 128 * 1024 * 1024
"""Bodies that wait take no more memory than this; who comes then is told to come again."""
TURN_SECONDS = 0.25


class NotKept(Exception):
    """A body that is not on disk, so that nobody may be told that it was taken."""


@dataclass(frozen=True)
class _Waiting:
    family: str
    line: bytes
    digest: str
    done: asyncio.Future[None]


class Commits:
    """What waits for the disk, of a receiver; all of it on one event loop.

    Args:
        spool: where bodies go.
        seen: what must not be taken twice.
        now: unix seconds.
    """

    def __init__(self, spool: Spool, seen: Seen, now: Callable[[], float] = time.time) -> None:
        self.is_well = True
        self._spool = spool
        self._seen = seen
        self._now = now
        self._waiting: list[_Waiting] = []
        self._size = 0
        self._wake = asyncio.Event()
        self._is_over = False

    async def keep(self, family: str, line: bytes, digest: str) -> None:
        """Return once a line is on disk.

        Raises:
            NotKept: it is not, and the same call may come again.
        """
        if self._is_over or self._size + len(line) > MOST_WAITING_BYTES:
            self._seen.forget(digest)
            raise NotKept
        one = _Waiting(family, line, digest, asyncio.get_running_loop().create_future())
        self._waiting.append(one)
        self._size += len(line)
        self._wake.set()
        await one.done

    async def run(self) -> None:
        """Put on disk what waits, until `end`."""
        while not self._is_over or self._waiting:
            with suppress(TimeoutError):
                async with asyncio.timeout(TURN_SECONDS):
                    await self._wake.wait()
            self._wake.clear()
            group, self._waiting, self._size = self._waiting, [], 0
            is_kept = await asyncio.to_thread(self._write, group) if group else True
            for one in group:
                if not is_kept:
                    self._seen.forget(one.digest)
                if not one.done.done() and not is_kept:
                    one.done.set_exception(NotKept())
                elif not one.done.done():
                    one.done.set_result(None)
            # nobody waits for what follows
            self.is_well = await asyncio.to_thread(self._turn) and is_kept

    def end(self) -> None:
        """Take nothing more, and return from `run` once all that waits is on disk."""
        self._is_over = True
        self._wake.set()

    def _write(self, group: list[_Waiting]) -> bool:
        """Whether all of a group is on disk."""
        lines: dict[str, list[bytes]] = {}
        for one in group:
            lines.setdefault(one.family, []).append(one.line)
        try:
            self._spool.write(lines, self._now())
            self._seen.write([one.digest for one in group])
        except OSError:
            return False
        return True

    def _turn(self) -> bool:
        """Whether files could be closed, and others begun, as it was time."""
        try:
            self._spool.turn(self._now())
            self._seen.turn(self._now())
        except OSError:
            return False
        return True
