"""Bad lines of text files that were read without them: which they are, and how long they count."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from pipelines.built.quoting import literal, quoted
from pipelines.loading import raw
from pipelines.loading.batches import Batch
from pipelines.loading.files import Listing
from pipelines.loading.handover import Handed
from pipelines.loading.readers.setting_aside import SET_ASIDE, at_line

Key = tuple[str, str]
"""The name and the content of a file."""


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
    """The bad lines of the files of `batches`, if any, to be loaded with the good ones."""
    bad: dict[str, int] = dict(
        connection.execute(f"select location, count(*) from {SET_ASIDE} group by all").fetchall()
    )
    files = [found for batch in batches for found in batch.files if found.location in bad]
    if not files:
        return []
    connection.execute(
        "create or replace table incoming.main.read_without as select unnest($locations) as"
        " location, unnest($names) as file_name, unnest($families) as family,"
        " unnest($contents) as content_hash",
        {
            "locations": [found.location for found in files],
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
            f" reason, cast({literal(str(now))} as timestamp) as loaded_at from {SET_ASIDE}"
            " inner join incoming.main.read_without using (location)",
            rows=sum(bad[found.location] for found in files),
        )
    ]


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
