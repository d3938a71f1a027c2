"""The systems whose files are loaded: their families, and what a file's name says."""

from __future__ import annotations

from pathlib import PurePosixPath

from pipelines.loading.families import Family, FileName
from pipelines.loading.sources import behavior, customerio, heap_connect

FAMILIES: tuple[Family, ...] = (
    *customerio.WAREHOUSE,
    customerio.WEBHOOKS,
    customerio.ACTIVITIES,
    behavior.EVENTS,
    *heap_connect.FAMILIES,
)


def recognise(path: PurePosixPath) -> FileName | None:
    """What the file at `path` is by its name, or None when it is of no known family."""
    for known in (customerio.recognise, heap_connect.recognise, behavior.recognise):
        if (name := known(path)) is not None:
            return name
    return None
