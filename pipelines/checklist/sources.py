"""What the checks are measured from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pipelines.built.tables import Record, Tables
from pipelines.heap.gates import Declared

EVENT_MARTS = {
    "heap_cio_journey_entered": "journey_entry_id",
    "heap_cio_message_sent": "delivery_id",
    "heap_cio_message_clicked": "delivery_id",
    "heap_cio_goal_converted": "coalesce(delivery_id, journey_id)",
}
"""The four standard events, and the id that each cannot do without."""

MAX_REFUSED_SHARE = 0.05
MAX_CHANGED_SHARE = 0.01
MIN_SEGMENTS, MAX_SEGMENTS = 5, 10


@dataclass(frozen=True)
class Sources:
    """An open warehouse with the ledger beside it, and what was declared.

    Attributes:
        ledger: None where nothing was ever published.
        manifest: dbt's; empty where it is missing.
    """

    tables: Tables
    ledger: Tables | None
    manifest: dict[str, Any]
    as_of: datetime
    declared: Declared

    def heap_models(self) -> list[Record]:
        """Name and `meta.heap` of every Heap model of the manifest."""
        found = []
        for node in (self.manifest.get("nodes") or {}).values():
            meta = ((node.get("config") or {}).get("meta") or {}).get("heap")
            if node.get("resource_type") == "model" and isinstance(meta, dict):
                found.append({"name": str(node["name"]), **meta})
        return sorted(found, key=lambda row: str(row["name"]))
