"""What Customer.io allows when segments are written, and how patient we are."""

from __future__ import annotations

from dataclasses import dataclass

from pipelines.calling.patience import Patience

IDS_PER_CALL = 1_000
"""Ids of one call (Customer.io's Track API reference)."""

CALLS_PER_MINUTE = 1_800
"""Thirty a second: the least of the rates that sources name, which reach from 30 to 1,000."""


@dataclass(frozen=True)
class CallRates:
    """Calls, not ids, are what is counted; `None` for no limit (the local Customer.io)."""

    rows_per_call: int = 30
    events_per_minute: int | None = CALLS_PER_MINUTE
    events_per_identity_minute: int | None = None


@dataclass(frozen=True)
class PushLimits(Patience):
    """Customer.io's limits and our patience."""

    ids_per_call: int = IDS_PER_CALL
    canary_ids: int = 10
    rates: CallRates = CallRates()


UNHURRIED = PushLimits(
    rates=CallRates(events_per_minute=None),
    backoff_seconds=0.02,
    longest_backoff_seconds=0.2,
    timeout_seconds=10.0,
)
"""For the local Customer.io."""
