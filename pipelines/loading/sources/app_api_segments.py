"""Who is in each segment of Customer.io, at the instant of asking: a snapshot, a file each.

The App API tells neither when somebody entered nor who was in before, and a segment that is being
built tells only a part: it is looked at only if it is `finished` before and after the asking.
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from pipelines.console import Advance
from pipelines.home import replacing
from pipelines.loading.sources.app_api_client import AppApi, NotThere

BUILT = "finished"
PAGE_SIZE = 30_000
YOUNG = timedelta(hours=1)
"""A snapshot that is younger is not taken again: a run that was stopped goes on behind it."""

_TAKEN = re.compile(r".*-(\d{8}T\d{6})Z\.jsonl\.gz", re.ASCII)


def keep_snapshots(
    api: AppApi, workspace_id: int, folder: Path, advance: Advance, now: datetime
) -> tuple[int, int]:
    """Write a file for each segment that is built; how many were taken, and how many are not built.

    Raises:
        UsageError, CounterfoilError: see `AppApi.pages`; what was written stays.
    """
    taken = unfinished = 0
    for segment in _segments(api):
        number = segment["id"]
        stem = f"segment_snapshots_{workspace_id}_{number}"
        if segment.get("state") != BUILT:
            unfinished += 1
        elif not _is_young(folder, stem, now):
            members = list(_members(api, number))
            if _state(api, number) != BUILT:  # it began anew meanwhile
                unfinished += 1
                continue
            path = folder / f"{stem}-{now:%Y%m%dT%H%M%S}Z.jsonl.gz"
            with replacing(path, lambda _: True, "a snapshot") as out:
                out.write(gzip.compress(_content(segment, members, now), mtime=0))
            taken += 1
        advance()
    return taken, unfinished


def _segments(api: AppApi) -> list[dict[str, Any]]:
    found = api.listed("/v1/segments", "segments")
    return [segment for segment in found if type(segment.get("id")) is int]


def _state(api: AppApi, number: int) -> object:
    return next((s.get("state") for s in _segments(api) if s["id"] == number), None)


def _members(api: AppApi, number: int) -> Iterator[Mapping[str, Any]]:
    asked = {"limit": str(PAGE_SIZE)}
    try:
        for page in api.pages(f"/v1/segments/{number}/membership", "identifiers", asked):
            yield from page
    except NotThere:  # deleted since it was listed: its state says so
        return


def _content(segment: Mapping[str, Any], members: list[Mapping[str, Any]], now: datetime) -> bytes:
    """A line for the segment itself, which says that it was looked into, and one a member."""
    of_all = {"segment_id": segment["id"], "taken_at": f"{now.isoformat(timespec='seconds')}Z"}
    own = {"segment_name": segment.get("name"), "segment_type": segment.get("type")}
    lines = [json.dumps({**of_all, **own, "count_members": len(members)})]
    lines += [
        json.dumps(
            {
                **of_all,
                "cio_id": member.get("cio_id"),
                "customer_id": member.get("id"),
                "email": member.get("email"),
            }
        )
        for member in members
    ]
    return "".join(f"{line}\n" for line in lines).encode()


def _is_young(folder: Path, stem: str, now: datetime) -> bool:
    for path in folder.glob(f"{stem}-*.jsonl.gz"):
        if (match := _TAKEN.fullmatch(path.name)) and now - datetime.strptime(
            match[1], "%Y%m%dT%H%M%S"
        ) < YOUNG:
            return True
    return False
