"""`segments list`: the versions, whether they leave for Heap, and whether they are locked."""

from __future__ import annotations

from pathlib import Path

from pipelines.console import Console
from pipelines.errors import CounterfoilError
from pipelines.segments.definitions import SegmentVersion, read_versions
from pipelines.segments.lock import LOCK_PATH, read_lock
from pipelines.settings import PROJECT_DIR, Settings


def list_segments(
    settings: Settings, console: Console, *, project: Path = PROJECT_DIR
) -> list[SegmentVersion]:
    """Print every version with its motion, owner, members (when built) and state of the lock."""
    versions = read_versions(settings, project)
    locked = read_lock(project / LOCK_PATH)
    members = _count_members(settings)
    rows: list[dict[str, object]] = []
    cells: list[list[str]] = []
    lines: list[str] = []
    for version in versions:
        state = _lock_state(version, locked.get(version.name))
        count = members.get((version.segment_key, version.version))
        rows.append(
            {
                "segment_key": version.segment_key,
                "version": version.version,
                "motion": version.motion,
                "owner": version.owner,
                "is_exported": version.is_exported,
                "valid_from": version.valid_from,
                "valid_to": version.valid_to,
                "lock": state,
                "count_members": count,
                "description": version.description,
            }
        )
        held = "not built" if count is None else f"{count:,} members"
        exported = "exported" if version.is_exported else "not exported"
        motion, owner = version.motion or "no motion", version.owner or "no owner"
        retired = f", retired {version.valid_to}" if version.valid_to else ""
        lines.append(
            f"{version.name}: {exported}, {motion}, {owner}, {held}, {state}{retired}. "
            f"{version.description}"
        )
        counted = "not built" if count is None else f"{count:,}"
        cells.append(
            [
                version.name,
                counted,
                motion,
                owner,
                f"{exported}{retired}",
                state,
                version.description,
            ]
        )
    headings = ("segment", "members", "motion", "owner", "Heap", "lock", "who is in it")
    console.table(headings, cells, lines=lines)
    console.record(segments=rows)
    return versions


def _lock_state(version: SegmentVersion, entry: dict[str, object] | None) -> str:
    if entry is None:
        return "not locked"
    return "locked" if entry.get("fingerprint") == version.fingerprint else "changed since locked"


def _count_members(settings: Settings) -> dict[tuple[str, int], int]:
    """Current members by key and version; empty unless a whole build can be read."""
    from pipelines.built.tables import open_warehouse

    try:
        with open_warehouse(settings) as tables:
            rows = tables.rows(
                "select segment_key, version, count_members from {dim_segment_versions}",
                reads=["dim_segment_versions"],
            )
    except CounterfoilError:
        return {}
    return {(row["segment_key"], int(row["version"])): int(row["count_members"]) for row in rows}
