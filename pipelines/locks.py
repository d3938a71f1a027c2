"""One command at a time in one home: an operating-system lock that dies with its process."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from pipelines.errors import CounterfoilError
from pipelines.home import OWN_IT, private


class InUse(CounterfoilError):
    """Another command of ours is at work in the same home."""


@contextmanager
def hold(home: Path, name: str, doing: str) -> Iterator[None]:
    """Hold `<home>/<name>.lock` for the block, or say who holds it and what to do.

    Args:
        home: the state folder; made if missing, and private for the block.
        name: `warehouse` for load and build, `publisher` for publish.
        doing: the word shown to whoever comes second, for example `load`.
    """
    path = home / f"{name}.lock"
    with ExitStack() as stack:
        stack.enter_context(private(home))
        try:
            handle = stack.enter_context(path.open("ab+", buffering=0))
        except OSError as error:
            if path.is_dir() or path.is_symlink():
                raise CounterfoilError(
                    f"{path} is no file, so that nobody can hold it ({error.strerror}): move it "
                    "away; the next command makes it anew."
                ) from error
            raise CounterfoilError(
                f"The state folder cannot be written ({error.strerror}): {OWN_IT}."
            ) from error
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            handle.seek(0)
            holder = handle.read().decode(errors="replace").strip() or "another process"
            raise InUse(
                f"The {name} is in use by {holder}: wait until it has finished, or stop it."
            ) from error
        handle.truncate(0)
        with suppress(OSError):  # on a full disk the lock holds all the same, and names nobody
            handle.write(f"`counterfoil {doing}` (process {os.getpid()})".encode())
        try:
            yield
        finally:
            handle.truncate(0)
