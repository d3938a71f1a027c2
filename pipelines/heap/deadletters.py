"""Rows Heap refused: why, how often, and saying them again."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from pipelines import locks
from pipelines.console import Console
from pipelines.heap.ledger import Ledger
from pipelines.heap.limits import Clock, Limits
from pipelines.settings import Settings

if TYPE_CHECKING:
    from pipelines.heap.outcome import PublishSummary

REASONS = ("identity", "size", "type", "refused", "transport")
"""Classes of dead letters, from what Heap said."""

LONGEST_MESSAGE = 200


def classify(status: int | None, text: str) -> str:
    """The class of a refusal: identity, size, type, refused or transport."""
    said = text.lower()
    if status is None or status >= 500:
        return "transport"
    if "identity" in said or "user_id" in said:
        return "identity"
    if status == 413 or any(w in said for w in ("longer", "too long", "too large", "more than")):
        return "size"
    if "should be" in said or "must be" in said or "type" in said:
        return "type"
    return "refused"


def scrub(text: str, values: Iterable[str]) -> str:
    """Heap's message without personal data: no values of the row, nothing quoted, no address."""
    for value in sorted((v for v in values if len(v) > 1), key=len, reverse=True):
        text = text.replace(value, "…")
    text = re.sub(r"\"[^\"]*\"|'[^']*'|`[^`]*`", "…", text)
    text = re.sub(r"\S+@\S+", "…", text)
    return " ".join(text.split())[:LONGEST_MESSAGE]


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
    from pipelines.heap.plan import compute
    from pipelines.heap.publish import send
    from pipelines.heap.target import require_target

    clock = clock or Clock()
    limits = limits or Limits()
    target = require_target(settings)
    with locks.hold(settings.home, "publisher", "deadletters retry"), Ledger(settings) as ledger:
        plan = compute(settings, ledger, console, limits=limits, clock=clock, replay=True)
        plan.models_due = []
        return send(
            plan, ledger, target, console, limits=limits, clock=clock, max_minutes=max_minutes
        )
