"""What Customer.io's App API tells of a workspace, as files that a load reads like any others.

Who was merged into whom stands in no export, nor who is in a segment; names stand in some.
Merges are told for thirty days, from whatever was asked before; names and snapshots of segments are
told as they are now, so their files are kept in the state folder: they are exports of our own.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipelines.console import Console
from pipelines.home import private
from pipelines.loading.sources.app_api_client import HOSTS, AppApi, NotThere
from pipelines.loading.sources.app_api_names import keep_names
from pipelines.loading.sources.app_api_segments import keep_snapshots
from pipelines.settings import Settings

__all__ = ["HOSTS", "fetched"]

KEPT_TYPES = ("profile_merge",)
PAGE_SIZE = 100


@contextmanager
def fetched(
    settings: Settings, workspace_id: int, console: Console, *, now: datetime | None = None
) -> Iterator[list[Path]]:
    """What the App API tells now, in folders of which the one with merges goes afterwards.

    A run that was stopped goes on with what it has not asked yet: each file is whole, and says by
    its name what it is of.

    Args:
        settings: `CUSTOMERIO_APP_API_KEY`, a key of that workspace, and `CUSTOMERIO_REGION`.
        workspace_id: whose key it is; the answers do not say.
        console: shows the calls.
        now: when a snapshot is taken (UTC, without zone); default: now.

    Yields:
        The folders that hold something.

    Raises:
        UsageError: the key or the region is missing or wrong.
        CounterfoilError: the App API cannot be reached, or refuses.
    """
    now = now or datetime.now(UTC).replace(tzinfo=None)
    kept = settings.snapshots_dir
    with private(settings.home), AppApi(settings) as api:
        merges = Path(tempfile.mkdtemp(prefix=".app_api_", dir=settings.home))
        try:
            _write_merges(api, workspace_id, merges, console)
            _keep(api, workspace_id, kept, console, now)
            yield [folder for folder in (merges, kept) if folder.is_dir() and any(folder.iterdir())]
        finally:
            shutil.rmtree(merges, ignore_errors=True)


def _write_merges(api: AppApi, workspace_id: int, folder: Path, console: Console) -> None:
    """The merges that are still told of; named after the content: the same answer is known."""
    found = set[str]()
    with console.progress("asking who was merged") as advance:
        for activity in _activities(api):
            found.add(json.dumps(activity, sort_keys=True, ensure_ascii=False))
            advance()
    console.record(activities=len(found))
    console.line(f"The App API tells of {len(found):,} merges of workspace {workspace_id}.")
    if found:
        content = ("\n".join(sorted(found)) + "\n").encode()
        name = f"activities_{workspace_id}_{hashlib.sha256(content).hexdigest()[:16]}.jsonl.gz"
        # no time in the header: the same lines are the same bytes
        (folder / name).write_bytes(gzip.compress(content, mtime=0))


def _activities(api: AppApi) -> Iterator[dict[str, Any]]:
    """Every activity of the kept types, those of deleted people too: a merge deletes one of two."""
    for kind in KEPT_TYPES:
        for deleted in ("false", "true"):
            asked = {"type": kind, "deleted": deleted, "limit": str(PAGE_SIZE)}
            for page in api.pages("/v1/activities", "activities", asked):
                yield from page


def _keep(api: AppApi, workspace_id: int, folder: Path, console: Console, now: datetime) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with console.progress("asking for names") as advance:
        names = keep_names(api, workspace_id, folder, advance, now)
    console.record(app_names=names)
    console.line(f"  names: {names:,} of campaigns, actions and newsletters, as far as it told.")
    try:
        with console.progress("asking who is in the segments") as advance:
            taken, unfinished = keep_snapshots(api, workspace_id, folder, advance, now)
    except NotThere:
        taken, unfinished = 0, 0
    console.record(segment_snapshots=taken, segments_unfinished=unfinished)
    console.line(
        f"  segments: {taken:,} looked into"
        + (f"; {unfinished:,} are being built and say nothing yet" if unfinished else "")
        + "."
    )
