"""A load: new files in, known files left alone, broken files named, whatever was interrupted."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import duckdb

from pipelines.console import Advance, Console
from pipelines.loading import known, raw, rawfiles, records
from pipelines.loading.batches import Batch, files_of, only
from pipelines.loading.contents import CHANGED, Unreadable
from pipelines.loading.families import Family
from pipelines.loading.files import (
    Found,
    Listing,
    Recognise,
    blamed,
    bring,
    find,
    is_unchanged,
    not_its_fault,
)
from pipelines.loading.handover import Handed, Road, hand_over, hand_over_files
from pipelines.loading.known import Known
from pipelines.loading.reading import culprits, prepare
from pipelines.loading.summary import LoadSummary, report
from pipelines.paths import Plain, plain_paths
from pipelines.room import is_disk_full
from pipelines.settings import Settings

# A job is at most this much of Parquet: progress moves, and a transaction stays small.
BYTES_A_JOB = 512 * 1024 * 1024


def load_files(
    exports: list[str],
    settings: Settings,
    console: Console,
    *,
    families: Sequence[Family],
    recognise: Recognise,
    road: Road | None = None,
    is_strict: bool = False,
) -> LoadSummary:
    """Load the new files of `exports`; the caller holds the warehouse lock.

    With `is_strict` a text file with one bad line is refused as a whole.

    Raises:
        UsageError, CounterfoilError: see `files.find` and `raw.opened`.
    """
    listing = find(exports, recognise)
    scratch = raw.scratch(settings)
    with raw.opened(settings, families) as connection:
        summary = LoadSummary(unknown=listing.unknown)
        try:
            shutil.rmtree(scratch, ignore_errors=True)
            state = known.read(connection, is_strict=is_strict)
            fresh, sighted, rejected = _news(listing, state, summary, scratch, console)
            if fresh:
                with plain_paths(scratch) as plain:
                    _load_fresh(
                        connection,
                        settings,
                        families=families,
                        fresh=fresh,
                        plain=plain,
                        summary=summary,
                        rejected=rejected,
                        console=console,
                        road=road,
                        is_strict=is_strict,
                    )
            known.settle(
                connection,
                listing,
                state,
                summary,
                sighted=sighted,
                rejected=rejected,
                datasets=raw.datasets(families),
                is_strict=is_strict,
            )
        except (duckdb.Error, OSError) as error:
            raise raw.explain(settings, error) from error
        shutil.rmtree(scratch, ignore_errors=True)
    report(summary, console)
    return summary


def _news(
    listing: Listing, state: Known, summary: LoadSummary, scratch: Path, console: Console
) -> tuple[list[Found], list[Found], list[tuple[Found, str]]]:
    """The files to load, those hashed on the way, and those that cannot be opened."""
    unseen = []
    for found in listing.found:
        content = state.content(found)
        if not content:
            unseen.append(found)
        elif (found.name, content) in state.loaded:
            summary.files_known += 1
        elif reason := state.quarantined.get((found.name, content)):
            summary.quarantined.append((found.name, reason))
        else:
            unseen.append(found)
    if not unseen:
        return [], [], []
    scratch.mkdir(parents=True, exist_ok=True)
    fresh: list[Found] = []
    sighted: list[Found] = []
    rejected: list[tuple[Found, str]] = []
    taken: set[tuple[str, str]] = set()

    def fetch(numbered: tuple[int, Found]) -> Found | str:
        try:
            return bring(numbered[1], scratch / "incoming", numbered[0])
        except Unreadable as error:
            return str(error)

    with (
        console.progress("looking at new files", total=len(unseen)) as advance,
        ThreadPoolExecutor(max_workers=4) as pool,
    ):
        for found, brought in zip(unseen, pool.map(fetch, enumerate(unseen)), strict=True):
            advance()
            if isinstance(brought, str):
                rejected.append((found, brought))
                continue
            key = (brought.name, brought.content_hash)
            sighted.append(brought)
            if key in state.loaded or key in taken:
                summary.files_known += 1
            elif key in state.quarantined:
                summary.quarantined.append((brought.name, state.quarantined[key]))
            else:
                taken.add(key)
                fresh.append(brought)
    return fresh, sighted, rejected


def _load_fresh(
    connection: raw.Connection,
    settings: Settings,
    *,
    families: Sequence[Family],
    fresh: list[Found],
    plain: Plain,
    summary: LoadSummary,
    rejected: list[tuple[Found, str]],
    console: Console,
    road: Road | None,
    is_strict: bool,
) -> None:
    scratch = raw.scratch(settings)
    reading = prepare(connection, fresh, scratch, plain, is_strict=is_strict)
    rejected.extend(blamed(*pair) for pair in reading.rejected)
    total = sum(batch.rows for batch in reading.batches)
    with console.progress("loading rows", total=total or None) as advance:
        for dataset in raw.datasets(families):
            batches = [batch for batch in reading.batches if batch.family.dataset == dataset]
            loaded = _load_dataset(
                connection,
                settings,
                dataset,
                batches=batches,
                rejected=rejected,
                advance=advance,
                road=road,
            )
            for batch in loaded:
                table = f"{dataset}.{batch.family.table}"
                summary.files_loaded += len(batch.files)
                summary.rows += batch.rows
                summary.rows_by_table[table] = summary.rows_by_table.get(table, 0) + batch.rows


def _load_dataset(
    connection: raw.Connection,
    settings: Settings,
    dataset: str,
    *,
    batches: list[Batch],
    rejected: list[tuple[Found, str]],
    advance: Advance,
    road: Road | None,
) -> list[Batch]:
    """Load `batches` as one package. When it fails, find out which files did it and go on without.

    Footers are trusted first: reading everything twice to be sure would double the time of every
    load for the sake of a file in a million.
    """
    while batches:
        handed = [
            Handed(
                table=part.family.table,
                columns={**{name: kind for name, kind, _ in part.columns}, **part.family.marks},
                select=part.select(),
                rows=part.rows,
            )
            for batch in batches
            for part in _jobs(batch)
        ]
        said = records.of_files(connection, batches)
        before = raw.finished(connection, dataset)
        scratch, home = raw.scratch(settings), settings.home
        families = list({batch.family for batch in batches})
        try:
            if rawfiles.is_used(connection):
                load_id = hand_over_files(
                    connection, scratch, dataset, handed, home=home, advance=advance
                )
                records.of_package(connection, home, dataset, load_id, said, families)
            else:
                handed += said
                hand_over(connection, scratch, dataset, handed, advance=advance, road=road)
            bad = _changed(batches)
            if not bad:
                return batches
            # what was hashed is not what was read
            raw.undo(connection, dataset, before, home, families)
        except Exception as error:
            # the package is void; its rows go, its files are looked at one by one
            raw.forget_unfinished(connection, dataset, home, families)
            if _is_memory(error):
                again = partial(
                    _load_dataset, connection, settings, dataset,
                    rejected=rejected, advance=advance, road=road,
                )  # fmt: skip
                return _load_apart(batches, settings, again, rejected)
            if _is_ours(error):
                raise raw.explain(settings, _root(error)) from error
            bad = _changed(batches) or [
                pair for batch in batches for pair in culprits(connection, batch)
            ]
            if not bad:
                raise raw.explain(settings, _root(error)) from error
        rejected.extend(blamed(*pair) for pair in bad)
        out = {found for found, _ in bad}
        batches = only(batches, set(files_of(batches)) - out)
    return []


def _load_apart(
    batches: list[Batch],
    settings: Settings,
    load: Callable[..., list[Batch]],
    rejected: list[tuple[Found, str]],
) -> list[Batch]:
    """Load the halves of what took too much memory, each by itself: no file keeps others out."""
    files = files_of(batches)
    if len(files) == 1:
        limit = f"more memory than {settings.memory_limit} (COUNTERFOIL_MEMORY_LIMIT)"
        rejected.append((not_its_fault(files[0]), f"reading it takes {limit}"))
        return []
    half = len(files) // 2
    parts = (set(files[:half]), set(files[half:]))
    return [batch for part in parts for batch in load(batches=only(batches, part))]


def _changed(batches: Sequence[Batch]) -> list[tuple[Found, str]]:
    return [(found, CHANGED) for found in files_of(batches) if not is_unchanged(found)]


def _jobs(batch: Batch) -> list[Batch]:
    """The batch in jobs of bounded size."""
    jobs: list[list[Found]] = [[]]
    size = 0
    for found in batch.files:
        if jobs[-1] and size + found.size > BYTES_A_JOB:
            jobs.append([])
            size = 0
        jobs[-1].append(found)
        size += found.size
    return [batch.only(files) for files in jobs]


def _root(error: BaseException) -> BaseException:
    """The first cause that DuckDB or the system named, under dlt's wrapping."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, (duckdb.Error, OSError)):
            return seen
        seen = seen.__cause__ or seen.__context__
    return error


def _is_ours(error: BaseException) -> bool:
    """Whether the disk failed: no file is to blame."""
    return is_disk_full(_root(error)) or is_disk_full(error)


def _is_memory(error: BaseException) -> bool:
    return "out of memory" in f"{error} {_root(error)}".lower()
