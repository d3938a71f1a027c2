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
from pipelines.plural import counted
from pipelines.room import told_when_full
from pipelines.settings import Settings


def list_dead_letters(settings: Settings, console: Console) -> list[dict[str, Any]]:
    """Every dead letter, newest first, without personal data; prints one line each.

    On a terminal each reason stands once, with how many rows it has: what still waits comes first.
    """
    columns = (
        "publish_key", "kind", "event", "reason", "status", "attempts", "first_seen_at",
        "last_seen_at", "message", "http_status", "plan_id",
    )  # fmt: skip
    with Ledger(settings) as ledger:
        found = ledger.rows(
            f"select {', '.join(columns)} from dead_letters order by status, last_seen_at desc, 1"
        )
    letters = [dict(zip(columns, row, strict=True)) for row in found]
    lines = [
        f"{letter['status']:8} {letter['reason']:9} {letter['publish_key']} "
        f"({letter['event'] or letter['kind']}, {letter['attempts']} attempts, last "
        f"{letter['last_seen_at']:%Y-%m-%d %H:%M}): {letter['message']}"
        for letter in letters
    ]
    waiting = sum(letter["status"] == "open" for letter in letters)
    settled = len(letters) - waiting
    title = (
        f"{counted(waiting, 'row')} that Heap refused still {'waits' if waiting == 1 else 'wait'}: "
        "`counterfoil deadletters retry` says them again."
        if waiting
        else "Nothing that Heap refused still waits."
    )
    console.table(
        ("", "rows", "of", "why Heap refused", "last", "tried"),
        _by_reason(letters),
        lines=[*lines, f"{waiting} dead letters are open, {settled} resolved"],
        title=title + (f" Settled since: {settled:,}." if settled else ""),
    )
    console.record(dead_letters=letters, count_open=waiting)
    return letters


def _by_reason(letters: list[dict[str, Any]]) -> list[list[str]]:
    """Each reason once: how many rows, of what, what Heap said, when last, how often it was tried.

    What still waits comes first, then what has most rows.
    """
    alike: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for letter in letters:
        of = str(letter["event"] or letter["kind"])
        why = f"{letter['reason']}: {letter['message']}"
        alike.setdefault((str(letter["status"]), of, why), []).append(letter)
    ranked = sorted(alike.items(), key=lambda one: (one[0][0] != "open", -len(one[1]), one[0]))
    return [
        [
            status if status != "open" else "waits",
            f"{len(rows):,}",
            of,
            why,
            f"{max(row['last_seen_at'] for row in rows):%Y-%m-%d %H:%M}",
            counted(max(row["attempts"] for row in rows), "time"),
        ]
        for (status, of, why), rows in ranked
    ]


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
