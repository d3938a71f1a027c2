"""A file that was replaced under its name: what it held before stays, and is counted.

Whether an export is a whole or the newest part of a feed, no file says, and in which order two
contents of one name were written no rebuild could tell: so no row is taken back.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from pipelines.built.quoting import quoted
from pipelines.loading import raw, records
from pipelines.loading.families import LOAD_ID, SOURCE_FILE
from pipelines.loading.files import Found

# What lay at these places, and was seen at no other one that nobody looks at now.
_BEFORE = """
    with before as (
        from loads.files select location, content_hash
        union from loads.sightings select location, content_hash
    )
    from before select * where location in (select unnest($places)) and content_hash not in (
        from loads.sightings select content_hash where location not in (select unnest($here))
    )
"""
_LOADED = f"""
    select file_name, content_hash, {LOAD_ID}
    from loads.files
    where file_name in (select unnest($names))
"""


def settle(
    connection: raw.Connection,
    looked_at: Sequence[Found],
    contents: Mapping[str, str],
    now: datetime,
) -> None:
    """Count anew the rows that the files `looked_at` no longer hold.

    Args:
        looked_at: files whose content was hashed in this load.
        contents: the hash of what lies there, by location.
        now: in UTC.
    """
    places = {found.location: found for found in looked_at}
    connection.execute(
        "delete from loads.replaced_files where location in (select unnest($places))",
        {"places": list(places)},
    )
    packages: dict[tuple[str, str], set[str]] = {}  # by the name and the content of a file
    names = list({found.name for found in places.values()})
    for name, content, load_id in connection.execute(_LOADED, {"names": names}).fetchall():
        packages.setdefault((name, content), set()).add(load_id)
    lie_here = set(contents.values())
    before: dict[str, set[str]] = {}
    for location, content in connection.execute(
        _BEFORE, {"places": list(places), "here": list(contents)}
    ).fetchall():
        if content not in lie_here:
            before.setdefault(location, set()).update(
                packages.get((places[location].name, content), ())
            )
    rows = []
    for location, found in places.items():
        here = packages.get((found.name, contents[location]))
        if here and (old := before.get(location)):
            count = _count(connection, found, old, here)
            rows.append((found.name, found.kind.family.name, location, count, now))
    records.insert(connection, "loads.replaced_files", rows)


def told(connection: raw.Connection, looked_at: Sequence[Found]) -> list[tuple[str, int]]:
    """The files among those `looked_at` that no longer hold rows, with how many."""
    here = {found.location for found in looked_at}
    return sorted(
        (name, count)
        for name, location, count in connection.execute(
            "select file_name, location, count_rows from loads.replaced_files where count_rows > 0"
        ).fetchall()
        if location in here
    )


def _count(
    connection: raw.Connection, found: Found, before: Collection[str], here: Collection[str]
) -> int:
    """The different rows of the packages `before` that those of `here` do not hold."""
    family = found.kind.family
    names = ", ".join(quoted(name) for name in family.columns)
    rows = (
        f"select {names} from {quoted(family.dataset)}.{quoted(family.table)}"
        f" where {SOURCE_FILE} = $name and list_contains"
    )
    [(count,)] = connection.execute(
        f"select count(*) from ({rows}(cast($before as varchar[]), {LOAD_ID})"
        f" except {rows}(cast($here as varchar[]), {LOAD_ID}))",
        {"name": found.name, "before": list(before), "here": list(here)},
    ).fetchall()
    return int(count)
