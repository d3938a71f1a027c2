"""The plan as a file: a first line that says everything, then every row exactly as it will be sent.

The file holds identities, since they must be sent: it is readable by its owner only. Its name
holds none. A file says nothing that is believed before its bytes are those that the ledger recorded
when the plan was made.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from pipelines.errors import CounterfoilError
from pipelines.heap.limits import Limits
from pipelines.home import replacing

FORMAT = 1
EVENT_START = b'{"event":'
MAX_HEADER_BYTES = 16_000_000
BLOCK_BYTES = 1 << 20
KIND = "a plan of Counterfoil"
MAKER = "counterfoil plan"
"""The command that writes plans for Heap."""


@dataclass
class RowScan:
    """What one pass over rendered rows tells: their hash and how many calls they need."""

    sha256: str
    count_events: int
    count_users: int
    count_calls: int
    count_bytes: int


@dataclass(frozen=True)
class FileDigest:
    """What the ledger keeps of a plan's whole file, header included."""

    sha256: str
    count_bytes: int


@dataclass
class Batch:
    """Rows of one call, byte for byte, and where in the plan they end (rows, bytes)."""

    kind: str
    rows: list[bytes] = field(default_factory=list)
    count_bytes: int = 0
    end: tuple[int, int] = (0, 0)


def scan(rows: Path, limits: Limits) -> RowScan:
    """Read rendered rows once: hash, counts and calls."""
    digest = hashlib.sha256()
    counts = {"event": 0, "user_properties": 0}
    calls = 0
    with rows.open("rb") as lines:
        for batch in _batches(lines, limits, start=(0, 0), first_rows=None):
            calls += 1
            counts[batch.kind] += len(batch.rows)
            for row in batch.rows:
                digest.update(row)
                digest.update(b"\n")
    return RowScan(
        digest.hexdigest(), counts["event"], counts["user_properties"], calls, rows.stat().st_size
    )


def write(path: Path, header: dict[str, Any], rows: Path) -> FileDigest:
    """Put header and rows into one file that only its owner can read, then remove `rows`.

    Returns:
        Digest and size of what was written, for the ledger.
    """
    first = json.dumps({"counterfoil_plan": FORMAT, **header}, default=str, sort_keys=True)
    digest = hashlib.sha256(first.encode() + b"\n")
    with replacing(path, is_plan, KIND) as out, rows.open("rb") as body:
        out.write(first.encode() + b"\n")
        while block := body.read(BLOCK_BYTES):
            digest.update(block)
            out.write(block)
        count_bytes = out.tell()
    rows.unlink()
    return FileDigest(digest.hexdigest(), count_bytes)


def is_plan(path: Path) -> bool:
    """Whether a file begins as a plan of ours does."""
    try:
        with opened(path) as lines:
            return begins_plan(lines)
    except CounterfoilError:
        return False


def begins_plan(lines: IO[bytes]) -> bool:
    """The same of an open file."""
    try:
        read_header(lines, "it")
    except CounterfoilError:
        return False
    return True


@contextmanager
def opened(path: Path, maker: str = MAKER) -> Iterator[IO[bytes]]:
    """A plan's file, open for the block.

    Args:
        maker: the command that writes such plans.

    Raises:
        CounterfoilError: it is missing, or no ordinary file.
    """
    try:
        # a pipe without a writer would hold us here
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except OSError as error:
        raise CounterfoilError(
            f"The plan {path.name} cannot be read ({error.strerror}): name a file that "
            f"`{maker}` wrote."
        ) from error
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise CounterfoilError(f"{path.name} is not a plan: name a file that `{maker}` wrote.")
    with os.fdopen(handle, "rb") as lines:
        yield lines


def read_header(lines: IO[bytes], name: str, maker: str = MAKER) -> dict[str, Any]:
    """The first line of a plan, not yet to be believed: see `held`.

    Raises:
        CounterfoilError: it is no plan of ours.
    """
    lines.seek(0)
    try:
        header = json.loads(lines.readline(MAX_HEADER_BYTES))
    except (OSError, ValueError, RecursionError) as error:
        raise CounterfoilError(
            f"{name} is not a plan: name a file that `{maker}` wrote."
        ) from error
    if (
        not isinstance(header, dict)
        or header.get("counterfoil_plan") != FORMAT
        or not isinstance(header.get("plan_id"), str)
    ):
        raise CounterfoilError(f"{name} is not a plan of this version: make one with `{maker}`.")
    return header


@contextmanager
def held(
    lines: IO[bytes], name: str, expected: FileDigest, folder: Path, maker: str = MAKER
) -> Iterator[IO[bytes]]:
    """A copy of a plan that is byte for byte what the ledger recorded, and that nobody can change.

    What is checked is what is sent: the copy has no name, and is gone with its process.

    Args:
        lines: the plan's open file.
        name: what messages call it.
        expected: what the ledger recorded of the whole file.
        folder: where the copy takes its room.

    Raises:
        CounterfoilError: the file is not the one that was made.
    """
    with ExitStack() as stack:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            copy = stack.enter_context(tempfile.TemporaryFile(dir=folder))
            digest = _copy(lines, copy, expected.count_bytes)
        except OSError as error:
            raise CounterfoilError(
                f"The plan {name} cannot be copied into the state folder ({error.strerror}): make "
                "room there, or check its permissions."
            ) from error
        if digest != expected.sha256:
            raise CounterfoilError(
                f"The plan {name} was changed after it was made: make a new one with `{maker}`."
            )
        yield copy


def _copy(lines: IO[bytes], copy: IO[bytes], count_bytes: int) -> str:
    """Copy a file of that size and hash what was copied; one of another size is not copied."""
    digest = hashlib.sha256()
    if os.fstat(lines.fileno()).st_size == count_bytes:
        lines.seek(0)
        while (count_left := count_bytes + 1 - copy.tell()) > 0 and (
            block := lines.read(min(BLOCK_BYTES, count_left))
        ):
            digest.update(block)
            copy.write(block)
        copy.flush()
    return digest.hexdigest()


def batches(
    lines: IO[bytes],
    limits: Limits,
    *,
    settled: tuple[int, int] = (0, 0),
    canary: int | None = None,
) -> Iterator[Batch]:
    """The plan's calls in order, from where it was left; the first may be a small canary."""
    lines.seek(0)
    lines.readline()
    lines.seek(lines.tell() + settled[1])
    yield from _batches(lines, limits, start=settled, first_rows=canary)


def _batches(
    lines: IO[bytes], limits: Limits, *, start: tuple[int, int], first_rows: int | None
) -> Iterator[Batch]:
    count_rows, count_bytes = start
    most = first_rows or limits.rows_per_call
    batch: Batch | None = None
    for line in lines:
        row = line.rstrip(b"\n")
        kind = "event" if row.startswith(EVENT_START) else "user_properties"
        if batch is not None and (
            batch.kind != kind
            or len(batch.rows) >= most
            or batch.count_bytes + len(row) + 1 > limits.bytes_per_call - ENVELOPE_BYTES
        ):
            yield batch
            batch = None
            most = limits.rows_per_call
        if batch is None:
            batch = Batch(kind)
        batch.rows.append(row)
        batch.count_bytes += len(row) + 1
        count_rows += 1
        count_bytes += len(line)
        batch.end = (count_rows, count_bytes)
    if batch is not None:
        yield batch


ENVELOPE_BYTES = 200
"""Room for `{"app_id":"…","events":[` and `]}`."""
