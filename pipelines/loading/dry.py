"""A dry run: what a load would read, and how, without loading it."""

from __future__ import annotations

import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

import duckdb

from pipelines.console import Console
from pipelines.loading import raw
from pipelines.loading.batches import Batch, Reading
from pipelines.loading.contents import Unreadable
from pipelines.loading.files import Found, Recognise, bring, find
from pipelines.loading.known import loaded
from pipelines.loading.readers.csv import csv_header
from pipelines.loading.readers.setting_aside import count_set_aside
from pipelines.loading.reading import culprits, prepare
from pipelines.loading.rejected_rows import count_lacking
from pipelines.loading.summary import UNKNOWN_SHOWN
from pipelines.opening import explain_opening
from pipelines.paths import plain_paths
from pipelines.plural import counted
from pipelines.settings import Settings


@dataclass(frozen=True)
class Group:
    """Files of one family with the same columns, and what would become of these.

    Attributes:
        read: columns that the files give.
        lacking: columns of the family that they do not give, null for every row.
        not_read: headings that no registry names, or that the family leaves out.
        set_aside: how many would be told in `load_rejected_rows`, by file: lines set aside, and
            rows of Parquet and Avro that cannot be taken as they are.
    """

    family: str
    workspace_id: int | None
    files: tuple[str, ...]
    rows: int
    read: dict[str, str]
    lacking: tuple[str, ...]
    not_read: tuple[str, ...]
    set_aside: dict[str, int]


def dry_run(
    exports: list[str],
    settings: Settings,
    console: Console,
    *,
    recognise: Recognise,
    is_strict: bool = False,
) -> None:
    """Look at every new file as a load would, and say what it would do; nothing is written.

    With `is_strict` as a load that refuses a text file with one bad line.

    Raises:
        UsageError, CounterfoilError: see `files.find`, and raw.duckdb is in use.
    """
    listing = find(exports, recognise)
    known = _known(settings)
    rejected: list[tuple[str, str]] = []
    fresh: dict[tuple[str, str], Found] = {}
    count_known = 0
    with tempfile.TemporaryDirectory(prefix="counterfoil-") as name, plain_paths() as plain:
        scratch = Path(name)
        for number, found in enumerate(listing.found):
            try:
                brought = bring(found, scratch / "incoming", number)
            except Unreadable as error:
                rejected.append((found.name, str(error)))
                continue
            key = (brought.name, brought.content_hash)
            if key in known or key in fresh:
                count_known += 1
            else:
                fresh[key] = brought
        with duckdb.connect() as connection:
            raw.limit(connection, settings, spill=scratch / "spill")
            files = list(fresh.values())
            reading = prepare(connection, files, scratch, plain, is_strict=is_strict)
            batches = [_readable(connection, batch, reading) for batch in reading.batches]
            groups = [group for batch in batches for group in _groups(connection, batch)]
    rejected += [(found.name, reason) for found, reason in reading.rejected]
    for group in groups:
        _tell(group, console)
    for other in listing.unknown[:UNKNOWN_SHOWN]:
        console.line(f"Would skip {other}: not a file that Counterfoil knows.")
    for file_name, reason in sorted(rejected):
        console.line(f"Would quarantine {file_name}: {reason}.")
    rows = sum(group.rows for group in groups)
    aside = sum(sum(group.set_aside.values()) for group in groups)
    bad = f" and tell {counted(aside, 'bad line')}" if aside else ""
    console.line(
        f"Nothing was loaded. A load would read {rows:,} rows from"
        f" {counted(sum(len(group.files) for group in groups), 'new file')}{bad};"
        f" {count_known:,} are known, {len(listing.unknown):,} unknown,"
        f" {len(rejected):,} cannot be read."
    )
    console.record(
        dry_run={
            "groups": [asdict(group) for group in groups],
            "files_known": count_known,
            "unknown": listing.unknown,
            "rejected": [
                {"file_name": file_name, "reason": why} for file_name, why in sorted(rejected)
            ],
        }
    )


def _known(settings: Settings) -> set[tuple[str, str]]:
    """Names and contents that were loaded before."""
    if not settings.raw_path.exists():
        return set()
    try:
        with duckdb.connect(str(settings.raw_path), read_only=True) as connection:
            return loaded(connection)
    except (duckdb.Error, OSError) as error:
        raise explain_opening(settings.raw_path, error) from error


def _readable(connection: raw.Connection, batch: Batch, reading: Reading) -> Batch:
    """The batch without the files of which a value cannot be read, as a load would find out."""
    if batch.files[0].kind.reader not in ("parquet", "avro"):
        return batch
    bad = dict(culprits(connection, batch))
    reading.rejected.extend(bad.items())
    return batch.only([found for found in batch.files if found not in bad])


def _groups(connection: raw.Connection, batch: Batch) -> list[Group]:
    """The batch by header, since files whose unread headings differ are read alike."""
    by_header: dict[tuple[str, ...], list[Found]] = {}
    for found in batch.files:
        header = csv_header(found)[1] if found.kind.reader == "csv" else []
        by_header.setdefault(tuple(header), []).append(found)
    if not batch.files:
        return []
    lacking = batch.absent
    aside = count_set_aside(connection) | count_lacking(connection, batch)
    groups = []
    for headings, files in by_header.items():
        named = files[0].kind.columns_of(list(headings))
        given = {column: heading for heading, column in zip(headings, named, strict=True)}
        groups.append(
            Group(
                family=batch.family.name,
                workspace_id=files[0].kind.workspace_id,
                files=tuple(found.name for found in files),
                rows=sum(found.rows for found in files),
                read={
                    name: given.get(name, name)
                    for name, _, _ in batch.columns
                    if name not in lacking
                },
                lacking=lacking,
                not_read=tuple(
                    heading for heading, column in zip(headings, named, strict=True) if not column
                ),
                set_aside={
                    found.name: aside[found.location] for found in files if found.location in aside
                },
            )
        )
    return groups


def _tell(group: Group, console: Console) -> None:
    shown = ", ".join(group.files[:3])
    more = f" and {len(group.files) - 3:,} more" if len(group.files) > 3 else ""
    where = f" of workspace {group.workspace_id}" if group.workspace_id is not None else ""
    console.line(f"{group.family}{where}: {group.rows:,} rows from {shown}{more}")
    read = [
        column if heading == column else f"{column} (from {heading})"
        for column, heading in group.read.items()
    ]
    console.line(f"  reads {', '.join(read)}")
    if group.lacking:
        console.line(f"  lacks {', '.join(group.lacking)}")
    if group.not_read:
        console.line(f"  leaves out {', '.join(group.not_read)}")
    for file_name, count in group.set_aside.items():
        console.line(f"  would tell {counted(count, 'bad line')} of {file_name}")
