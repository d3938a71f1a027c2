"""The cases of `tests/scenarios/insight` as one export; `write` returns where it lies."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import yaml
from exports import T0, Export, at

from pipelines.settings import PROJECT_DIR

AS_OF = T0 + timedelta(days=30)

Case = dict[str, Any]


def read(name: str) -> Any:
    """A page of the scenarios."""
    page = PROJECT_DIR / "tests" / "scenarios" / "insight" / f"{name}.yml"
    return yaml.safe_load(page.read_text(encoding="utf-8"))


def journey_of(name: str) -> int:
    """The campaign of a case."""
    [journey] = [case["journey"] for case in read("journeys") if case["case"] == name]
    return int(journey)


def write(folder: Path) -> tuple[Path, Path]:
    """Write every case; returns the export and the registries."""
    export = Export()
    for name, behavior in (
        ("checkout", "checkout_started"),
        ("shipping", "shipping_viewed"),
        ("payment", "payment_viewed"),
        ("order", "order_placed"),
    ):
        export.register("behavior_map", event_name=name, behavior=behavior)
    confirmed: list[str] = []
    for case in read("journeys"):
        confirmed += _play(export, case)
    reorders = read("reorders")
    orders = [*_gaps(export, reorders["gaps"]), *_waits(export, reorders["waits"])]
    export_folder, seeds = export.write(folder)
    _write_reorders(export_folder, orders)
    _write_confirmations(export_folder, confirmed)
    return export_folder, seeds


def _declare(export: Export, case: Case, **columns: Any) -> None:
    """An experiment drawn by branch 0 (the first arm) and 1 (the control), read at AS_OF."""
    export.register(
        "experiments",
        **{
            "experiment_key": case["case"],
            "kind": case.get("kind", "journey_holdout"),
            "workspace_id": 1,
            "campaign_id": case["journey"],
            "assignment_source": "branch",
            "started_at": at(-24).isoformat(),
            "analysis_at": AS_OF.isoformat(),
            "window_hours": 168,
            "primary_metric": "order_rate",
            "alpha": 0.05,
            "owner": "lifecycle",
            **columns,
        },
    )
    share = case.get("weight", 0.9)
    for index, (arm, weight) in enumerate(
        zip(case["arms"], (share, round(1 - share, 6)), strict=True)
    ):
        export.register(
            "experiment_arms",
            experiment_key=case["case"],
            arm=arm,
            is_control="true" if index else "false",
            weight=weight,
            allocation_version=1,
            split_action_id=case["journey"] * 10,
            split_index=index,
            trap_action_id=case.get("trap", "") if index else "",
        )


def _play(export: Export, case: Case) -> list[str]:
    """Everybody of a case, arm by arm; returns who is sent a confirmation."""
    if "arms" in case:
        _declare(export, case)
    confirmed: list[str] = []
    arms = {**case.get("arms", {}), None: case.get("people", [])}
    for index, (arm, rows) in enumerate(arms.items()):
        people = [row for row in rows for _ in range(row.get("people", 1))]
        known = [
            row.get("customer") or f"{case['journey']}{'thn'[index]}{number:05d}"
            for number, row in enumerate(people)
        ]
        for cio_id, row in zip(known, people, strict=True):
            _live(export, case["journey"], cio_id, row, None if arm is None else index)
        confirmed += known[: case.get("confirmations", {}).get(arm, 0)]
    return confirmed


def _live(export: Export, journey: int, cio_id: str, row: Case, branch: int | None) -> None:
    """One person: enters, is drawn if anything is, gets messages and does what the row says."""
    export.person(1, cio_id)
    subject = None
    for number, entered_at in enumerate(row.get("entered", [0.0]), start=1):
        subject = export.entry(1, cio_id, entered_at, campaign=journey, number=number)
    if branch is None:
        subject = None
    elif subject is not None:
        export.draw(1, subject, action=journey * 10, branch_index=branch)
    _send(export, cio_id, subject, journey, row.get("messages", []))
    _behave(export, f"c_{cio_id}", row)


def _send(
    export: Export, cio_id: str, subject: str | None, journey: int, messages: list[Case]
) -> None:
    for message in messages:
        sent_at, campaign = message.get("at", 1.0), message.get("journey", journey)
        if campaign != journey:
            subject = export.entry(1, cio_id, sent_at, campaign=campaign)
        export.message(
            1,
            cio_id,
            sent_at,
            subject=subject,
            campaign=campaign,
            action=message.get("action", 1101),
            metrics=tuple(message.get("metrics", ("sent", "delivered"))),
            clicked_at=message.get("clicked"),
        )
        export.tables["deliveries"][-1]["delivery_type"] = message.get("channel", "email")
        if message.get("machine"):
            export.tables["metrics"][-1]["machine"] = True


def _behave(export: Export, customer_id: str, row: Case) -> None:
    for name, happened_at, *value in row.get("events", []):
        export.event(customer_id, happened_at, name=name, value=value[0] if value else None)
    if "walk" in row:
        for minutes_before, name in ((30, "checkout"), (20, "shipping"), (10, "payment")):
            export.event(customer_id, row["walk"] - minutes_before / 60, name=name)
        export.event(customer_id, row["walk"], value=50.0)


def _gaps(export: Export, cases: list[Case]) -> Iterator[tuple[str, str, datetime]]:
    """Customer, category, instant. A gap ends on the day of AS_OF or is open then (`+`)."""
    for case in cases:
        for number, gap in enumerate(case["days"].split()):
            cio_id = f"{case['category']}{case['workspace']}{number:02d}"
            export.person(case["workspace"], cio_id, created_at=-3000.0)
            days = int(gap.rstrip("+"))
            yield f"c_{cio_id}", case["category"], AS_OF - timedelta(days=days, hours=6)
            if not gap.endswith("+"):
                yield f"c_{cio_id}", case["category"], AS_OF - timedelta(hours=6)


def _waits(export: Export, case: Case) -> Iterator[tuple[str, str, datetime]]:
    """Waits from the assignment to the reorder, or to AS_OF (`+`)."""
    workspace, journey = case["workspace"], case["journey"]
    case = {**case, "weight": 0.5}
    _declare(export, case, workspace_id=workspace, started_at=at(-480).isoformat(), window_hours=24)
    for index, waits in enumerate(case["arms"].values()):
        for number, wait in enumerate(waits.split()):
            cio_id = f"curve{index}{number:02d}"
            days = int(wait.rstrip("+"))
            drawn_at = AS_OF - timedelta(days=days if wait.endswith("+") else 40)
            export.person(workspace, cio_id, created_at=-3000.0)
            subject = export.entry(workspace, cio_id, drawn_at, campaign=journey)
            export.draw(workspace, subject, drawn_at, action=journey * 10, branch_index=index)
            yield f"c_{cio_id}", case["category"], AS_OF - timedelta(days=100)
            if not wait.endswith("+"):
                yield f"c_{cio_id}", case["category"], drawn_at + timedelta(days=days)


def _write_reorders(folder: Path, reorders: list[tuple[str, str, datetime]]) -> None:
    customers, categories, instants = zip(*reorders, strict=True)
    table = pa.table(
        {
            "event_id": [f"r-{number:05d}" for number in range(len(reorders))],
            "customer_id": customers,
            "event_name": ["order"] * len(reorders),
            "occurred_at": pa.array(instants, pa.timestamp("us")),
            "category": categories,
        }
    )
    pq.write_table(table, folder / "behavior_reorders.parquet")


def _write_confirmations(folder: Path, people: list[str]) -> None:
    """Order confirmations: transactional messages, which no journey sends."""
    deliveries = [f"confirmation-{cio_id}" for cio_id in people]
    sent_at = pa.array([at(1.0)] * len(people), pa.timestamp("us"))
    workspaces = pa.array([1] * len(people), pa.int64())
    pq.write_table(
        pa.table(
            {
                "workspace_id": workspaces,
                "delivery_id": deliveries,
                "internal_customer_id": people,
                "delivery_type": ["email"] * len(people),
                "transactional_message_id": pa.array([3] * len(people), pa.int64()),
                "created_at": sent_at,
            }
        ),
        folder / "deliveries_v5_1_241600000000399000.parquet",
    )
    pq.write_table(
        pa.table(
            {
                "event_id": [f"{delivery}-sent" for delivery in deliveries],
                "workspace_id": workspaces,
                "delivery_id": deliveries,
                "metric": ["sent"] * len(people),
                "created_at": sent_at,
            }
        ),
        folder / "metrics_v5_1_241600000000399000.parquet",
    )
