"""Exports made to order: rows in the shapes of Customer.io's warehouse sync, and the registries.

`Export` collects rows and writes an EXPORT folder (Parquet, one file a family and workspace, rows
shuffled) and a folder of registries beside it. Times are hours after `T0`, or instants. Used to
build cases whose answer is known through the whole pipeline, from load to `fct_lift`.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import json
import random
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

T0 = datetime(2025, 3, 3, 12)
Instant = datetime | float

_TEXT, _INT, _TIME, _BOOL = pa.string(), pa.int64(), pa.timestamp("us"), pa.bool_()

SHAPES: dict[str, dict[str, pa.DataType]] = {
    "people": {
        "workspace_id": _INT,
        "customer_id": _TEXT,
        "internal_customer_id": _TEXT,
        "deleted": _BOOL,
        "suppressed": _BOOL,
        "created_at": _TIME,
        "updated_at": _TIME,
        "email_addr": _TEXT,
    },
    "attributes": {
        "workspace_id": _INT,
        "internal_customer_id": _TEXT,
        "attribute_name": _TEXT,
        "attribute_value": _TEXT,
        "timestamp": _TIME,
    },
    "subjects": {
        "workspace_id": _INT,
        "subject_name": _TEXT,
        "internal_customer_id": _TEXT,
        "campaign_type": _TEXT,
        "campaign_id": _INT,
        "started_campaign_at": _TIME,
        "created_at": _TIME,
        "seq_num": _INT,
    },
    "outputs": {
        "workspace_id": _INT,
        "output_id": _TEXT,
        "subject_name": _TEXT,
        "output_type": _TEXT,
        "action_id": _INT,
        "explanation": _TEXT,
        "delivery_id": _TEXT,
        "split_test_index": _INT,
        "branch_index": _INT,
        "created_at": _TIME,
        "seq_num": _INT,
    },
    "deliveries": {
        "workspace_id": _INT,
        "delivery_id": _TEXT,
        "internal_customer_id": _TEXT,
        "subject_id": _TEXT,
        "delivery_type": _TEXT,
        "campaign_id": _INT,
        "action_id": _INT,
        "created_at": _TIME,
        "seq_num": _INT,
    },
    "delivery_contents": {
        "workspace_id": _INT,
        "delivery_id": _TEXT,
        "campaign_id": _INT,
        "action_id": _INT,
        "recipient": _TEXT,
        "type": _TEXT,
    },
    "metrics": {
        "event_id": _TEXT,
        "workspace_id": _INT,
        "delivery_id": _TEXT,
        "metric": _TEXT,
        "link_id": _INT,
        "created_at": _TIME,
        "seq_num": _INT,
        "proxied": _BOOL,
        "prefetched": _BOOL,
        "machine": _BOOL,
    },
}

BEHAVIOR: dict[str, pa.DataType] = {
    "event_id": _TEXT,
    "customer_id": _TEXT,
    "event_name": _TEXT,
    "occurred_at": _TIME,
    "value": pa.float64(),
    "product_id": _TEXT,
}

REGISTRIES: dict[str, list[str]] = {
    "experiments": [
        "experiment_key", "kind", "workspace_id", "campaign_id", "assignment_source",
        "attribute_name", "salt", "started_at", "ended_at", "analysis_at", "window_hours",
        "primary_metric", "alpha", "planned_n", "owner",
    ],
    "experiment_arms": [
        "experiment_key", "arm", "is_control", "weight", "allocation_version", "valid_from",
        "valid_to", "split_action_id", "split_index", "attribute_value", "trap_action_id",
        "trap_recipient",
    ],
    "metrics": ["metric_key", "behavior", "aggregation", "label"],
    "behavior_map": ["event_name", "behavior"],
    "identity_merges": [
        "workspace_id", "primary_cio_id", "secondary_cio_id", "merged_at", "reason",
    ],
    "identity_rules": [
        "workspace_id", "identifier_type", "role", "normalisation", "max_profiles",
        "placeholder_values", "owner", "decided_on",
    ],
    "experiment_clusters": ["experiment_key", "cluster"],
}  # fmt: skip


def at(when: Instant) -> datetime:
    """The instant so many hours after T0; an instant stays itself."""
    return when if isinstance(when, datetime) else T0 + timedelta(hours=when)


@dataclass
class Export:
    """Rows by family, and registries."""

    seed: int = 7
    tables: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    behavior: list[dict[str, Any]] = field(default_factory=list)
    registries: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))

    def person(
        self, workspace: int, cio_id: str, *, created_at: Instant = -1000.0, **columns: Any
    ) -> None:
        """One version of a profile; its customer_id is `c_<cio_id>` unless given."""
        self._add(
            "people",
            {
                "workspace_id": workspace,
                "internal_customer_id": cio_id,
                "customer_id": f"c_{cio_id}",
                "deleted": False,
                "suppressed": False,
                "created_at": at(created_at),
                "updated_at": at(columns.pop("updated_at", created_at)),
                **columns,
            },
        )

    def entry(
        self,
        workspace: int,
        cio_id: str,
        when: Instant = 0.0,
        *,
        campaign: int = 101,
        number: int = 1,
    ) -> str:
        """One pass through a campaign; returns the journey entry id."""
        subject = f"{workspace}-{campaign}-{cio_id}-{number}"
        self._add(
            "subjects",
            {
                "workspace_id": workspace,
                "subject_name": subject,
                "internal_customer_id": cio_id,
                "campaign_type": "event",
                "campaign_id": campaign,
                "started_campaign_at": at(when),
                "created_at": at(when),
            },
        )
        return subject

    def draw(
        self, workspace: int, subject: str, when: Instant = 0.0, *, action: int = 1100, **index: int
    ) -> None:
        """The step that drew an arm: `branch_index=0` or `split_test_index=0`."""
        self._add(
            "outputs",
            {
                "workspace_id": workspace,
                "output_id": f"o-{subject}-{action}-{at(when):%m%d%H%M%S}",
                "subject_name": subject,
                "output_type": "branch",
                "action_id": action,
                "explanation": "drawn",
                "created_at": at(when),
                **index,
            },
        )

    def message(
        self,
        workspace: int,
        cio_id: str,
        when: Instant = 1.0,
        *,
        subject: str | None = None,
        campaign: int = 101,
        action: int = 1101,
        metrics: tuple[str, ...] = ("sent", "delivered"),
        recipient: str | None = None,
        clicked_at: Instant | None = None,
    ) -> str:
        """One delivery with its metrics; returns its id."""
        delivery = hashlib.md5(
            f"{workspace}-{cio_id}-{campaign}-{action}-{at(when)}".encode()
        ).hexdigest()
        self._add(
            "deliveries",
            {
                "workspace_id": workspace,
                "delivery_id": delivery,
                "internal_customer_id": cio_id,
                "subject_id": subject,
                "delivery_type": "email",
                "campaign_id": campaign,
                "action_id": action,
                "created_at": at(when),
            },
        )
        if recipient:
            self._add(
                "delivery_contents",
                {
                    "workspace_id": workspace,
                    "delivery_id": delivery,
                    "campaign_id": campaign,
                    "action_id": action,
                    "recipient": recipient,
                    "type": "email",
                },
            )
        for metric in metrics:
            self._metric(workspace, delivery, metric, when)
        if clicked_at is not None:
            self._metric(workspace, delivery, "clicked", clicked_at)
        return delivery

    def attribute(self, workspace: int, cio_id: str, name: str, value: str, when: Instant) -> None:
        """One attribute change."""
        self._add(
            "attributes",
            {
                "workspace_id": workspace,
                "internal_customer_id": cio_id,
                "attribute_name": name,
                "attribute_value": value,
                "timestamp": at(when),
            },
        )

    def event(
        self,
        customer_id: str,
        when: Instant = 48.0,
        *,
        name: str = "order",
        value: float | None = None,
        product: str | None = None,
    ) -> None:
        """One behavior event."""
        self.behavior.append(
            {
                "event_id": f"b-{len(self.behavior):08d}",
                "customer_id": customer_id,
                "event_name": name,
                "occurred_at": at(when),
                "value": value,
                "product_id": product,
            }
        )

    def register(self, registry: str, **columns: Any) -> None:
        """One row of a registry."""
        self.registries[registry].append(columns)

    def write(self, folder: Path) -> tuple[Path, Path]:
        """Write `export/` and `seeds/` below the folder; returns both."""
        export, seeds = folder / "export", folder / "seeds"
        export.mkdir(parents=True)
        seeds.mkdir()
        shuffler = random.Random(self.seed)
        for number, family in enumerate(sorted(self.tables)):
            rows = self.tables[family]
            shuffler.shuffle(rows)
            by_workspace: dict[int, list[dict[str, Any]]] = defaultdict(list)
            for row in rows:
                by_workspace[row["workspace_id"]].append(row)
            for workspace, part in sorted(by_workspace.items()):
                name = f"{family}_v5_{workspace}_{241600000000300000 + 100 * number}.parquet"
                pq.write_table(table_of(part, SHAPES[family]), export / name)
        if self.behavior:
            shuffler.shuffle(self.behavior)
            pq.write_table(table_of(self.behavior, BEHAVIOR), export / "behavior.parquet")
        for registry, names in REGISTRIES.items():
            if registry in self.registries:
                with (seeds / f"{registry}.csv").open("w", newline="", encoding="utf-8") as file:
                    writer = csv.DictWriter(file, names, restval="", lineterminator="\n")
                    writer.writeheader()
                    writer.writerows(self.registries[registry])
        return export, seeds

    def _metric(self, workspace: int, delivery: str, metric: str, when: Instant) -> None:
        self._add(
            "metrics",
            {
                "workspace_id": workspace,
                "event_id": f"{delivery}-{metric}",
                "delivery_id": delivery,
                "metric": metric,
                "created_at": at(when),
                "machine": False if metric == "clicked" else None,
            },
        )

    def _add(self, family: str, row: dict[str, Any]) -> None:
        rows = self.tables[family]
        if "seq_num" in SHAPES[family]:
            row["seq_num"] = 9_000_000_000 + len(rows)
        rows.append(row)


def table_of(rows: list[dict[str, Any]], shape: dict[str, pa.DataType]) -> pa.Table:
    return pa.table(
        {name: pa.array([row.get(name) for row in rows], kind) for name, kind in shape.items()}
    )


def behavior_file(path: Path, event_id: str) -> None:
    """Write one behavior event in the format that the name says."""
    event = {"event_id": event_id, "customer_id": "1", "event_name": "order_placed"}
    event["occurred_at"] = "2026-04-01T10:00:00"
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.name.endswith(".parquet"):
        pq.write_table(pa.table({name: [value] for name, value in event.items()}), path)
        return
    csv_text, line = f"{','.join(event)}\n{','.join(event.values())}\n", f"{json.dumps(event)}\n"
    content = (line if ".jsonl" in path.name else csv_text).encode()
    path.write_bytes(gzip.compress(content) if path.name.endswith(".gz") else content)
