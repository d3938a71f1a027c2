"""What an analyst would have declared for this brand: the same for every seed and size."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from datetime import timedelta
from pathlib import Path

from pipelines.sample.brand import (
    BLACK_HOLE,
    BRAND_WORKSPACE,
    EXPERIMENTS,
    NEWSLETTERS,
    ORDER_CONFIRMATION,
    SAMPLE_START,
    SISTER_WORKSPACE,
    Experiment,
)
from pipelines.sample.people import curated_merges

COLUMNS = {
    "experiments": (
        "experiment_key",
        "kind",
        "workspace_id",
        "campaign_id",
        "assignment_source",
        "attribute_name",
        "salt",
        "started_at",
        "ended_at",
        "analysis_at",
        "window_hours",
        "primary_metric",
        "alpha",
        "planned_n",
        "owner",
    ),
    "experiment_arms": (
        "experiment_key",
        "arm",
        "is_control",
        "weight",
        "allocation_version",
        "valid_from",
        "valid_to",
        "split_action_id",
        "split_index",
        "attribute_value",
        "trap_action_id",
        "trap_recipient",
    ),
    "metrics": ("metric_key", "behavior", "aggregation", "label"),
    "behavior_map": ("event_name", "behavior"),
    "identity_rules": (
        "workspace_id",
        "identifier_type",
        "role",
        "normalisation",
        "max_profiles",
        "placeholder_values",
        "owner",
        "decided_on",
    ),
    "identity_merges": (
        "workspace_id",
        "primary_cio_id",
        "secondary_cio_id",
        "merged_at",
        "reason",
    ),
    "workspaces": ("workspace_id", "name", "time_zone"),
    "message_names": ("workspace_id", "message_id", "message_name"),
    "channel_costs": ("channel", "cost_per_message", "currency"),
    "spot_checks": ("workspace_id", "checked_on", "count_judged", "count_right", "owner"),
}
"""File stem to columns, as the contract names them."""

PLACEHOLDERS = "guest|null|0|none|n/a|unknown|test"
BEHAVIORS = (
    "product_viewed",
    "cart_updated",
    "checkout_started",
    "shipping_viewed",
    "payment_viewed",
    "order_placed",
    "order_delivered",
    "site_visited",
)
Row = Sequence[object]


def write_registries(folder: Path) -> None:
    """Write the ten registries as CSV."""
    folder.mkdir(parents=True, exist_ok=True)
    for stem, rows in registries().items():
        with (folder / f"{stem}.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(COLUMNS[stem])
            writer.writerows(rows)


def registries() -> dict[str, Iterable[Row]]:
    """File stem to rows."""
    return {
        "experiments": [_experiment(one) for one in EXPERIMENTS],
        "experiment_arms": [row for one in EXPERIMENTS for row in _arms(one)],
        "metrics": [
            ("order_rate", "order_placed", "any", "Ordered"),
            ("order_count", "order_placed", "count", "Orders"),
            ("order_value", "order_placed", "sum", "Revenue"),
            ("checkout_rate", "checkout_started", "any", "Started a checkout"),
        ],
        "behavior_map": [
            *((name, name) for name in BEHAVIORS),
            ("Order Completed", "order_placed"),
            ("Order Returned", "order_placed"),
        ],
        "identity_rules": [
            ("", "customer_id", "primary", "trim", 5, PLACEHOLDERS, "data platform", "2025-11-03"),
            ("", "email", "fallback", "trim|lower", 5, PLACEHOLDERS, "data platform", "2025-11-03"),
        ],
        "identity_merges": curated_merges(),
        "workspaces": [
            (BRAND_WORKSPACE, "Morrow and Vale", "America/New_York"),
            (SISTER_WORKSPACE, "Little Vale", "Europe/Berlin"),
        ],
        "message_names": _message_names(),
        "channel_costs": [
            ("email", "0.0008", "USD"),
            ("sms", "0.0120", "USD"),
            ("in_app", "0.0000", "USD"),
            ("push", "0.0000", "USD"),
            ("webhook", "0.0000", "USD"),
        ],
        "spot_checks": [("", "2026-04-20", 40, 39, "data platform")],
    }


def _experiment(one: Experiment) -> Row:
    analysis_at = (
        ""
        if one.analysis_day is None
        else (SAMPLE_START + timedelta(days=one.analysis_day)).isoformat()
    )
    return (
        one.key,
        "journey_holdout",
        one.workspace_id,
        one.campaign_id,
        one.source,
        one.attribute_name,
        one.salt,
        one.started_at.isoformat(),
        "",
        analysis_at,
        one.window_hours,
        "order_rate",
        0.05,
        one.planned_n,
        "lifecycle",
    )


def _arms(one: Experiment) -> list[Row]:
    starts = [(SAMPLE_START + timedelta(days=day)).isoformat() for day, _ in one.allocations]
    rows: list[Row] = []
    for version, (_, shares) in enumerate(one.allocations, start=1):
        for index, (arm, share) in enumerate(zip(one.arms, shares, strict=True)):
            held_out = arm == "holdout"
            in_brand_cart = one.key == "cart_recovery"
            rows.append(
                (
                    one.key,
                    arm,
                    "true" if held_out else "false",
                    round(share, 6),
                    version,
                    starts[version - 1],
                    starts[version] if version < len(starts) else "",
                    one.split_action_id or "",
                    "" if one.split_action_id is None else index,
                    arm if one.source == "attribute" else "",
                    1012 if held_out and in_brand_cart else "",
                    BLACK_HOLE if held_out and one.workspace_id == SISTER_WORKSPACE else "",
                )
            )
    return rows


def _message_names() -> list[Row]:
    rows: list[Row] = []
    for letter in NEWSLETTERS:
        rows.append((BRAND_WORKSPACE, f"newsletter:{letter.newsletter_id}", letter.name))
        for variant, content_id in zip("AB", letter.contents, strict=True):
            rows.append(
                (BRAND_WORKSPACE, f"content:{content_id}", f"{letter.name}, variant {variant}")
            )
    rows.append((BRAND_WORKSPACE, f"transactional:{ORDER_CONFIRMATION}", "Order confirmation"))
    rows.append((SISTER_WORKSPACE, "action:1011", "Still thinking?"))
    rows.append((SISTER_WORKSPACE, "action:1012", "Still thinking? (held out)"))
    return rows
