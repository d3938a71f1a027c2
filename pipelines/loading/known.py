"""What is known of files: which were loaded, which wait in quarantine, and what was seen where."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from pipelines.loading import records, rejected_rows, replaced
from pipelines.loading.files import Found, Listing
from pipelines.loading.raw import Connection
from pipelines.loading.summary import LoadSummary

# How files are read: one that was refused by other rules is tried again, changed or not.
RULES = "lines"
STRICT = "strict lines"


@dataclass
class Known:
    """What raw.duckdb knows of files.

    Attributes:
        loaded: name and content of what was read.
        quarantined: the reason of what could not be, by name and content.
        sightings: the content that was found, by location, size and stamp.
    """

    loaded: set[tuple[str, str]]
    quarantined: dict[tuple[str, str], str]
    sightings: dict[tuple[str, int, str], str]

    def content(self, found: Found) -> str:
        """The hash of what lies there, if it was seen before; else nothing."""
        if not found.stamp:
            return ""
        return self.sightings.get((found.location, found.size, found.stamp), "")


def loaded(connection: Connection) -> set[tuple[str, str]]:
    """Names and contents that were loaded before."""
    return set(connection.execute("select file_name, content_hash from loads.files").fetchall())


def read(connection: Connection, *, is_strict: bool) -> Known:
    """What is known; of a file that was refused, only by the rules that hold now."""
    tried = [RULES, STRICT] if is_strict else [RULES]
    return Known(
        loaded=loaded(connection),
        quarantined={
            (name, content): reason
            for name, content, reason in connection.execute(
                "select file_name, content_hash, reason from loads.quarantine"
                " where list_contains($tried, tried_as)",
                {"tried": tried},
            ).fetchall()
        },
        sightings={
            (location, size, stamp): content
            for location, size, stamp, content in connection.execute(
                "select location, size_bytes, stamp, content_hash from loads.sightings"
            ).fetchall()
        },
    )


def settle(
    connection: Connection,
    listing: Listing,
    state: Known,
    summary: LoadSummary,
    *,
    sighted: Sequence[Found],
    rejected: Sequence[tuple[Found, str]],
    datasets: Sequence[str],
    is_strict: bool,
) -> None:
    """Bring quarantine, rejected lines and sightings up to date, in one transaction."""
    now = datetime.now(UTC).replace(tzinfo=None)
    summary.quarantined.extend((found.name, reason) for found, reason in rejected)
    summary.quarantined.sort()
    here = {found.location for found in listing.found}
    connection.execute("begin")
    # a file that was replaced, loaded, moved or taken away leaves the quarantine
    looked_at = [*sighted, *(found for found, _ in rejected)]
    again = {found.location for found in looked_at}
    moved = {(found.name, found.content_hash) for found in looked_at}
    held = connection.execute(
        "select file_name, content_hash, location from loads.quarantine"
    ).fetchall()
    for name, content, location in held:
        gone = location not in here and (listing.covers(location) or (name, content) in moved)
        if location in again or gone:
            connection.execute("delete from loads.quarantine where location = ?", [location])
    blocked = {(found.name, found.content_hash): reason for found, reason in rejected}
    still = {key: reason for key, reason in {**state.quarantined, **blocked}.items() if key[1]}
    places = {found.location: found for found in looked_at}
    rows = [
        (
            found.name,
            found.kind.family.name,
            found.content_hash,
            reason,
            location,
            now,
            found.kind.workspace_id,
            STRICT if is_strict else RULES,
        )
        for location, found in places.items()
        if (reason := still.get((found.name, found.content_hash)) or _opening(found, rejected))
    ]
    records.insert(connection, "loads.quarantine", rows)
    fresh = [
        (found.location, found.size, found.stamp, found.content_hash)
        for found in sighted
        if found.stamp
        and state.sightings.get((found.location, found.size, found.stamp)) != found.content_hash
    ]
    records.insert(connection, "loads.sightings", list(dict.fromkeys(fresh)))
    known = [replace(found, content_hash=state.content(found)) for found in listing.found]
    contents = {
        found.location: found.content_hash for found in (*known, *sighted) if found.content_hash
    }
    rejected_rows.settle(connection, datasets, listing, contents)
    replaced.settle(connection, sighted, contents, now)
    connection.execute("commit")
    summary.replaced = replaced.told(connection, sighted)
    told = rejected_rows.told(connection)
    files = {(found.name, contents.get(found.location, "")) for found in listing.found}
    summary.rejected_rows = sorted((key[0], *told[key]) for key in files & told.keys())
    if is_strict:
        summary.stay_in = sorted(
            {
                found.name
                for found in listing.found
                if found.kind.reader in ("csv", "jsonl")
                and (found.name, contents.get(found.location, "")) in told
            }
        )


def _opening(found: Found, rejected: Sequence[tuple[Found, str]]) -> str | None:
    """The reason of a file that was never hashed because it could not be opened."""
    if found.content_hash:
        return None
    return next((reason for other, reason in rejected if other.location == found.location), None)
