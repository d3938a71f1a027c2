"""Customer.io files into `raw.duckdb`, with the behavior and Heap Connect files beside them."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from pipelines.loading.sources import FAMILIES, recognise, recogniser

if TYPE_CHECKING:
    from pathlib import Path

    from pipelines.console import Console
    from pipelines.loading.handover import Road
    from pipelines.loading.summary import LoadSummary
    from pipelines.settings import Settings


def load(
    exports: list[str],
    settings: Settings,
    console: Console,
    *,
    registries: Path | None = None,
    is_strict: bool = False,
) -> LoadSummary:
    """Load the new files of `exports` into `raw.duckdb`, holding the warehouse lock.

    Args:
        exports: folders, files or URLs (file, s3, gs, az).
        settings: where the state folder is, and how much the database may use.
        console: told one line per thing done.
        registries: a folder whose registries replace ours; two of them declare CSV exports.
        is_strict: refuse a text file as a whole for one bad line.

    Returns:
        What was loaded, known, unknown, quarantined and set aside; raise its `failure` after
        printing.

    Raises:
        UsageError: an export is not there or holds nothing recognisable, or a registry cannot be
            what it should be.
        CounterfoilError: another command is at work, or raw.duckdb cannot be opened or written.
    """
    from pipelines.locks import hold

    with hold(settings.home, "warehouse", "load"):
        return load_unlocked(exports, settings, console, registries=registries, is_strict=is_strict)


def load_unlocked(
    exports: list[str],
    settings: Settings,
    console: Console,
    road: Road | None = None,
    *,
    registries: Path | None = None,
    is_strict: bool = False,
) -> LoadSummary:
    """`load` for a caller that holds the warehouse lock already.

    Whatever the files bring back of erased people is swept out again, also when the load stops
    half-way; where even that was cut short, the next load or build does it.
    """
    from pipelines.erasure.sweep import sweep
    from pipelines.loading.run import load_files
    from pipelines.loading.tombstones import known

    erased = known(
        settings
    )  # refused here, before the first row, when nobody can tell who was erased
    try:
        summary = load_files(
            exports,
            settings,
            console,
            families=FAMILIES,
            recognise=recogniser(registries),
            road=road,
            is_strict=is_strict,
        )
    except BaseException:
        with suppress(Exception):  # the first error is the one to tell
            sweep(settings, erased)
        raise
    if removed := sweep(settings, erased):
        console.line(f"Kept {removed:,} rows of erased people out.")
        console.record(rows_of_erased_people=removed)
    return summary


def ensure_raw(settings: Settings) -> None:
    """Make `raw.duckdb` with all its tables, empty where nothing was loaded, without the erased."""
    from pipelines.erasure.sweep import sweep
    from pipelines.loading.raw import opened

    with opened(settings, FAMILIES):
        pass
    sweep(settings)


__all__ = [
    "FAMILIES",
    "ensure_raw",
    "load",
    "load_unlocked",
    "recognise",
    "recogniser",
]
