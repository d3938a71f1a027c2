"""Lines that a text file was read without, and rows of other files that the models leave out.

Which they are, and how long they count.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from pipelines.built.quoting import literal, quoted
from pipelines.loading import raw
from pipelines.loading.batches import Batch, files_of
from pipelines.loading.files import Listing
from pipelines.loading.handover import Handed
from pipelines.loading.readers.broken import written_name
from pipelines.loading.readers.setting_aside import SET_ASIDE, at_line

Key = tuple[str, str]
"""The name and the content of a file."""
_FILES = "incoming.main.read_without"


def told(connection: raw.Connection) -> dict[Key, tuple[int, str]]:
    """By file, how many of its lines are set aside, and what is wrong with the first."""
    return {
        (name, content): (count, at_line(line, reason))
        for name, content, count, line, reason in connection.execute(
            "select file_name, content_hash, count(distinct (location, line_number, reason)),"
            " min(line_number), arg_min(reason, (line_number, reason)) from loads.rejected_rows"
            " group by file_name, content_hash"
        ).fetchall()
    }


def handed(connection: raw.Connection, batches: Sequence[Batch], now: datetime) -> list[Handed]:
    """What is told of the files of `batches`, if anything, to be loaded with their good rows."""
    bad: dict[str, int] = dict(
        connection.execute(f"select location, count(*) from {SET_ASIDE} group by all").fetchall()
    )
    files = files_of(batches)
    told = []
    if any(found.location in bad for found in files):
        told.append((f"{SET_ASIDE} inner join {_FILES} using (location)", sum(bad.values())))
    if lacking := [select for batch in batches if (select := _lacking(batch))]:
        rows = f"({' union all '.join(lacking)})"
        told.append((f"{rows} inner join {_FILES} using (path)", 0))
    if not told:
        return []
    connection.execute(
        f"create or replace table {_FILES} as select unnest($locations) as"
        " location, unnest($paths) as path, unnest($names) as file_name, unnest($families) as"
        " family, unnest($contents) as content_hash",
        {
            "locations": [found.location for found in files],
            "paths": [str(found.path) for found in files],
            "names": [found.name for found in files],
            "families": [found.kind.family.name for found in files],
            "contents": [found.content_hash for found in files],
        },
    )
    return [
        Handed(
            table=raw.REJECTED_ROWS.table,
            columns=dict(raw.REJECTED_ROWS.columns),
            select="select file_name, family, content_hash, location, line_number, column_name,"
            f" reason, cast({literal(str(now))} as timestamp) as loaded_at from {source}",
            rows=count,
        )
        for source, count in told
    ]


def count_lacking(connection: raw.Connection, batch: Batch) -> dict[str, int]:
    """How many rows of a Parquet or Avro file cannot be taken as they are, by its location."""
    select = _lacking(batch)
    if select is None:
        return {}
    counts: dict[str, int] = dict(
        connection.execute(f"select path, count(*) from ({select}) group by path").fetchall()
    )
    return {
        found.location: counts[path] for found in batch.files if (path := str(found.path)) in counts
    }


def _lacking(batch: Batch) -> str | None:
    """The SELECT of rows that cannot be taken as they are, or None where bad lines are set aside.

    A column that a file need not have is no fault of each of its rows.
    """
    if batch.files[0].kind.reader not in ("parquet", "avro"):
        return None
    family = batch.family
    absent = batch.absent
    required = [*((name,) for name in family.not_null), *family.not_null_any]
    present = [tuple(name for name in group if name not in absent) for group in required]
    read = {name: sql for name, _, sql in batch.columns}
    cases: list[tuple[str, str, str]] = []  # the condition, the column, the reason
    for group in filter(None, present):
        shown = " and ".join(f"`{written_name(family, name)}`" for name in group)
        condition = " and ".join(f"{read[name]} is null" for name in group)
        cases.append((condition, written_name(family, group[0]), f"the row lacks {shown}"))
    for name, is_finer in batch.rounded:
        why = f"the row holds `{name}` finer than a cent: it was rounded"
        cases.append((is_finer, name, why))
    if not cases:
        return None
    names = [literal(name) for _, name, _ in cases]
    reasons = [literal(reason) for _, _, reason in cases]
    whens = [f"when {condition} then {number}" for number, (condition, _, _) in enumerate(cases, 1)]
    return (
        f"select path, line_number, [{', '.join(names)}][what] as column_name,"
        f" [{', '.join(reasons)}][what] as reason"
        f" from (select {quoted(batch.file_column)} as path,"
        f" {batch.line(batch.files)} as line_number, case {' '.join(whens)} end as what"
        f" from {batch.source(batch.files)}) where what is not null"
    )


def settle(
    connection: raw.Connection,
    datasets: Sequence[str],
    listing: Listing,
    contents: Mapping[str, str],
) -> None:
    """Forget the lines of files that were replaced or taken away, and follow those that moved.

    Args:
        datasets: the raw schemas.
        listing: what was looked at.
        contents: the hash of what lies there, by location.
    """
    places = {(found.name, contents.get(found.location)): found.location for found in listing.found}
    here = {found.location for found in listing.found}
    held = connection.execute(
        "select distinct file_name, content_hash, location from loads.rejected_rows"
    ).fetchall()
    for name, content, location in held:
        if contents.get(location) == content:
            continue
        condition = "location = $location and content_hash = $content"
        given = {"location": location, "content": content}
        if moved := places.get((name, content)):
            change = f"update {{table}} set location = $moved where {condition}"
            given["moved"] = moved
        elif location in contents or (location not in here and listing.covers(location)):
            change = f"delete from {{table}} where {condition}"
        else:
            continue
        for dataset in datasets:
            table = f"{quoted(dataset)}.{raw.REJECTED_ROWS.table}"
            connection.execute(change.format(table=table), given)
