"""The plan as a file: a first line that says everything, then every row exactly as it will be sent.

The file holds identities, since they must be sent: it is readable by its owner only. Its name
holds none.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipelines.errors import CounterfoilError
from pipelines.heap.limits import Limits

FORMAT = 1
EVENT_START = b'{"event":'


@dataclass
class RowScan:
    """What one pass over rendered rows tells: their hash and how many calls they need."""

    sha256: str
    count_events: int
    count_users: int
    count_calls: int
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


def write(path: Path, header: dict[str, Any], rows: Path) -> None:
    """Put header and rows into one file that only its owner can read, then remove `rows`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    first = json.dumps({"counterfoil_plan": FORMAT, **header}, default=str, sort_keys=True)
    partial.unlink(missing_ok=True)
    partial.touch(mode=0o600)
    with partial.open("wb") as out, rows.open("rb") as body:
        out.write(first.encode() + b"\n")
        shutil.copyfileobj(body, out, 1 << 20)
    partial.replace(path)
    rows.unlink()


def read_header(path: Path) -> dict[str, Any]:
    """The first line of a plan.

    Raises:
        CounterfoilError: the file is missing or no plan of ours.
    """
    try:
        with path.open("rb") as lines:
            header = json.loads(lines.readline())
    except OSError as error:
        raise CounterfoilError(
            f"The plan {path.name} cannot be read ({error.strerror}): name a file that "
            "`counterfoil plan` wrote."
        ) from error
    except ValueError as error:
        raise CounterfoilError(
            f"{path.name} is not a plan: name a file that `counterfoil plan` wrote."
        ) from error
    if not isinstance(header, dict) or header.get("counterfoil_plan") != FORMAT:
        raise CounterfoilError(
            f"{path.name} is not a plan of this version: make one with `counterfoil plan`."
        )
    return header


def check_rows(path: Path, header: dict[str, Any]) -> None:
    """The rows are those that were planned, byte for byte; anything else is refused."""
    digest = hashlib.sha256()
    with path.open("rb") as lines:
        lines.readline()
        while block := lines.read(1 << 20):
            digest.update(block)
    if digest.hexdigest() != header["rows_sha256"]:
        raise CounterfoilError(
            f"The plan {path.name} was changed after it was made: make a new one with "
            "`counterfoil plan`."
        )


def batches(
    path: Path, limits: Limits, *, settled: tuple[int, int] = (0, 0), canary: int | None = None
) -> Iterator[Batch]:
    """The plan's calls in order, from where it was left; the first may be a small canary."""
    with path.open("rb") as lines:
        lines.readline()
        lines.seek(lines.tell() + settled[1])
        yield from _batches(lines, limits, start=settled, first_rows=canary)


def _batches(
    lines: Any, limits: Limits, *, start: tuple[int, int], first_rows: int | None
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
