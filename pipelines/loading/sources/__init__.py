"""The systems whose files are loaded: their families, and what a file's name says."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path, PurePosixPath

from pipelines.loading.families import Family, FileName
from pipelines.loading.sources import behavior, csv_exports, customerio, heap_connect, heap_segments

FAMILIES: tuple[Family, ...] = (
    *customerio.WAREHOUSE,
    customerio.WEBHOOKS,
    customerio.ACTIVITIES,
    customerio.NAMES,
    customerio.SNAPSHOTS,
    behavior.EVENTS,
    *heap_connect.FAMILIES,
    heap_segments.PAGES,
)


def recognise(path: PurePosixPath) -> FileName | None:
    """What the file at `path` is by its name, or None when it is of no known family."""
    for known in (
        customerio.recognise,
        heap_connect.recognise,
        heap_segments.recognise,
        behavior.recognise,
    ):
        if (name := known(path)) is not None:
            return name
    return None


def recogniser(registries: Path | None) -> Callable[[PurePosixPath], FileName | None]:
    """`recognise`, which also knows the CSV exports that the registries declare.

    Raises:
        UsageError: a registry cannot be what it should be.
    """
    declared = csv_exports.recogniser(registries)
    return lambda path: recognise(path) or declared(path)
