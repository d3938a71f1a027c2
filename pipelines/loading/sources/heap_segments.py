"""The family of Heap's segment webhooks: who entered a segment and who left it, a page a line.

Source: Heap's Segment Sync API (`segment.users.sync`, every four hours). A body says no time, so
whoever receives it writes in `received_at`.
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from pipelines.loading.families import READERS, Family, FileName, columns, extension
from pipelines.loading.sources.heap_connect import DATASET

PAGES_NAME = re.compile(r"heap_segments.*\.jsonl(?:\.gz)?", re.DOTALL)

PAGES = Family(
    name="heap_segments",
    dataset=DATASET,
    table="segment_pages",
    declared=(
        *columns("text", "none", "action_type"),
        *columns(
            "json",
            "text",
            "data",
            inside={
                "segment.id!": "id",
                "segment.name": "id",
                "sync_info.sync_task_id!": "id",
                "sync_info.page_number!": "bigint",
                "sync_info.total_pages!": "bigint",
                "add[].id": "id",
                "remove[].id": "id",
            },
            elements=("add", "remove"),
        ),
        *columns("event_time", "none", "received_at"),
    ),
    required=("data", "received_at"),
    not_null=("data", "received_at"),
    keeps_unknown=False,
)


def recognise(path: PurePosixPath) -> FileName | None:
    """What `path` is if it is a file of Heap's segment webhooks, or None."""
    if not PAGES_NAME.fullmatch(path.name):
        return None
    return FileName(PAGES, READERS[extension(path.name)])
