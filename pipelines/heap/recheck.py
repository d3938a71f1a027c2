"""The gates again, for a plan that was made earlier: the warehouse may know better by now."""

from __future__ import annotations

from typing import IO

from pipelines.built.manifest import require_manifest
from pipelines.errors import CounterfoilError
from pipelines.heap import gates
from pipelines.heap.basis import read_basis
from pipelines.heap.bounds import read_bounds
from pipelines.heap.ledger import Ledger
from pipelines.heap.limits import Clock
from pipelines.heap.marts import declared_models
from pipelines.heap.plan import Plan
from pipelines.heap.truth import USERS, hold_back
from pipelines.heap.warehouse import attached
from pipelines.settings import Settings


def recheck(
    plan: Plan,
    lines: IO[bytes],
    ledger: Ledger,
    key: str,
    settings: Settings,
    clock: Clock,
    *,
    strict: bool = False,
) -> None:
    """Judge a plan by the gates, and each of its rows by the marts, as the warehouse is now.

    Args:
        key: the ledger's name for the target.
        strict: one row that says what is no longer so keeps all of them from being sent.

    Raises:
        CounterfoilError: there is no whole warehouse to check them against; all rows are held, or
            with `strict` any.
    """
    with attached(ledger, settings) as warehouse:
        models = declared_models(require_manifest(settings, warehouse.whole))
        basis = read_basis(
            ledger, warehouse, models, target=key, ignore_cadence=True, replay=plan.is_replay
        )
        plan.bounds = read_bounds(warehouse)
        hold_back(plan, lines, basis)
        count_held = sum(plan.held.values())
        count_rows = plan.count_events + plan.count_users
        if count_held and (strict or count_held == count_rows - ledger.settled(plan.plan_id)[0]):
            reasons = "; ".join(f"{reason}: {count:,}" for reason, count in plan.held.items())
            raise CounterfoilError(
                f"{count_held:,} rows of the plan say what is no longer so ({reasons}), so nothing "
                "was sent: make a new plan with `counterfoil plan`."
            )
        count_events = plan.count_events - sum(
            count for title, count in plan.held.items() if not title.startswith(USERS)
        )
        fresh = [
            gates.budget_gate(ledger, warehouse, plan.target, count_events, clock.now()),
            gates.match_rate_gate(warehouse),
            gates.segment_gate(warehouse, models, warehouse.as_of),
        ]
    # the plan may have been made before the app was configured; require_target has checked it by
    # now
    names = {"app and region", *(gate.name for gate in fresh)}
    plan.gates = [gate for gate in plan.gates if gate.name not in names] + fresh
