"""Names that the App API gives campaigns, their actions, newsletters and segments.

A list is one call. The actions of a campaign are a call each, so they are asked for when the
campaign has changed (`deduplicate_id` holds when), or after a week: nobody says that renaming an
action changes its campaign.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from pipelines.console import Advance
from pipelines.home import replacing
from pipelines.loading.sources.app_api_client import AppApi, NotThere

LISTS = (
    ("campaign", "/v1/campaigns", "campaigns"),
    ("newsletter", "/v1/newsletters", "newsletters"),
    ("segment", "/v1/segments", "segments"),
)
ASKED_AGAIN = timedelta(days=7)


def keep_names(
    api: AppApi, workspace_id: int, folder: Path, advance: Advance, now: datetime
) -> int:
    """Write the names into files of `folder`; how many there are in what was asked.

    Raises:
        UsageError, CounterfoilError: see `AppApi.pages`; what was written stays.
    """
    listed: dict[str, list[dict[str, Any]]] = {}
    for kind, path, key in LISTS:
        try:
            listed[kind] = api.listed(path, key)
        except NotThere:
            listed[kind] = []
        advance()
    rows = [_row(kind, one) for kind, found in listed.items() for one in found]
    count = _write(folder, f"app_names_{workspace_id}_lists", [*filter(None, rows)])
    for campaign in listed["campaign"]:
        count += _keep_actions(api, workspace_id, folder, campaign, now)
        advance()
    return count


def _keep_actions(
    api: AppApi, workspace_id: int, folder: Path, campaign: Mapping[str, Any], now: datetime
) -> int:
    number = campaign.get("id")
    if not isinstance(number, int) or isinstance(number, bool):
        return 0
    version = hashlib.sha256(
        json.dumps([campaign.get(key) for key in ("deduplicate_id", "updated", "actions")]).encode()
    ).hexdigest()[:12]
    stem = f"app_names_{workspace_id}_campaign-{number}-{version}"
    asked = [path for path in folder.glob(f"{stem}-*.jsonl.gz") if not _is_old(path, stem, now)]
    if asked:
        return 0
    try:
        actions = api.listed(f"/v1/campaigns/{number}/actions", "actions")
    except NotThere:  # deleted since it was listed
        return 0
    rows = [_row("action", action, campaign_id=number) for action in actions]
    # an empty answer is one too: asked is asked
    return _write(folder, f"{stem}-{now:%Y%m%d}", [*filter(None, rows)], named_by_content=False)


def _is_old(path: Path, stem: str, now: datetime) -> bool:
    day = path.name.removeprefix(f"{stem}-").partition(".")[0]
    try:
        return now - datetime.strptime(day, "%Y%m%d") >= ASKED_AGAIN
    except ValueError:
        return True


def _row(kind: str, one: Mapping[str, Any], campaign_id: int | None = None) -> dict[str, Any]:
    """What is kept of a thing; nothing of one without an id."""
    number = one.get("id")
    if number is None:
        return {}
    updated = one.get("updated") or one.get("updated_at") or one.get("created") or None
    return {
        "kind": kind,
        "thing_id": number,
        "campaign_id": campaign_id,
        "name": one.get("name"),
        "updated_at": updated,
    }


def _write(
    folder: Path, stem: str, rows: Sequence[Mapping[str, Any]], *, named_by_content: bool = True
) -> int:
    lines = sorted(json.dumps(row, sort_keys=True, ensure_ascii=False) for row in rows)
    content = "".join(f"{line}\n" for line in lines).encode("utf-8", "replace")
    if named_by_content and not lines:
        return 0
    if named_by_content:
        stem = f"{stem}-{hashlib.sha256(content).hexdigest()[:16]}"
    path = folder / f"{stem}.jsonl.gz"
    if not path.exists():
        with replacing(path, lambda _: True, "a file of names") as out:
            out.write(gzip.compress(content, mtime=0))
    return len(lines)
