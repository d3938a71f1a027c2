"""Rows Heap refused: how often, and saying them again."""

from __future__ import annotations

from typing import Any

from pipelines import locks
from pipelines.console import Console
from pipelines.heap.ledger import Ledger
from pipelines.heap.limits import Clock, Limits
from pipelines.heap.outcome import PublishSummary
from pipelines.heap.planning import compute
from pipelines.heap.publish import send
from pipelines.heap.target import require_target
from pipelines.room import told_when_full
from pipelines.settings import Settings


def list_dead_letters(settings: Settings, console: Console) -> list[dict[str, Any]]:
    """Every dead letter, newest first, without personal data; prints one line each."""
    columns = (
        "publish_key", "kind", "event", "reason", "status", "attempts", "first_seen_at",
        "last_seen_at", "message", "http_status", "plan_id",
    )  # fmt: skip
    with Ledger(settings) as ledger:
        found = ledger.rows(
            f"select {', '.join(columns)} from dead_letters order by status, last_seen_at desc, 1"
        )
    letters = [dict(zip(columns, row, strict=True)) for row in found]
    for letter in letters:
        console.line(
            f"{letter['status']:8} {letter['reason']:9} {letter['publish_key']} "
            f"({letter['event'] or letter['kind']}, {letter['attempts']} attempts, last "
            f"{letter['last_seen_at']:%Y-%m-%d %H:%M}): {letter['message']}"
        )
    waiting = sum(letter["status"] == "open" for letter in letters)
    console.line(f"{waiting} dead letters are open, {len(letters) - waiting} resolved")
    console.record(dead_letters=letters, count_open=waiting)
    return letters


def retry_dead_letters(
    settings: Settings,
    console: Console,
    *,
    max_minutes: float | None = None,
    limits: Limits | None = None,
    clock: Clock | None = None,
) -> PublishSummary:
    """Say the open dead letters again, rendered from today's marts, and nothing else.

    A row that Heap takes is resolved and never sent again; one it refuses again counts one
    attempt more.
    """
    clock = clock or Clock()
    limits = limits or Limits()
    target = require_target(settings)
    with (
        locks.hold(settings.home, "publisher", "deadletters retry"),
        told_when_full(settings.home),
        Ledger(settings) as ledger,
    ):
        plan = compute(settings, ledger, console, limits=limits, clock=clock, replay=True)
        plan.models_due = []
        return send(
            plan, ledger, target, console, limits=limits, clock=clock, max_minutes=max_minutes
        )
