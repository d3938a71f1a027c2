"""The gates again, for a plan that was made earlier: the warehouse may know better by now."""

from __future__ import annotations

from collections.abc import Sequence
from typing import IO

from pipelines.built.manifest import require_manifest
from pipelines.errors import CounterfoilError
from pipelines.heap import gates, planfile, verdicts
from pipelines.heap.bounds import read_bounds
from pipelines.heap.ledger import Ledger
from pipelines.heap.limits import Clock
from pipelines.heap.marts import declared_models
from pipelines.heap.plan import Plan
from pipelines.heap.warehouse import attached
from pipelines.settings import Settings

ROWS_PER_CHECK = 10_000
"""Identities of a plan that are looked up at once."""


def recheck(
    plan: Plan,
    lines: IO[bytes],
    ledger: Ledger,
    settings: Settings,
    clock: Clock,
) -> None:
    """Judge a plan by the gates and by who may be told as the warehouse knows it now.

    Raises:
        CounterfoilError: there is no whole warehouse to check them against, or the plan holds
            somebody who may no longer be told.
    """
    with attached(ledger, settings) as warehouse:
        models = declared_models(require_manifest(settings, warehouse))
        fresh = [
            gates.budget_gate(ledger, warehouse, plan.target, plan.count_events, clock.now()),
            gates.match_rate_gate(warehouse),
            gates.segment_gate(warehouse, models, warehouse.as_of),
        ]
        plan.bounds = read_bounds(warehouse)
        verdicts.load_forbidden(ledger, warehouse)
        told = [warehouse.mart(model)[0] for model in models]
        told += [warehouse.require("dim_persons", "heap_identity"), "receipts", "property_state"]
        _refuse_strangers(lines, ledger, told)
    # the plan may have been made before the app was configured; require_target has checked it by
    # now
    names = {"app and region", *(gate.name for gate in fresh)}
    plan.gates = [gate for gate in plan.gates if gate.name not in names] + fresh


def _refuse_strangers(lines: IO[bytes], ledger: Ledger, told: Sequence[str]) -> None:
    """Every row is about somebody who may be told, and whom a relation of `told` knows."""
    ledger.db.execute("create or replace temp table plan_identities (identity varchar)")
    for found in planfile.identities(lines, ROWS_PER_CHECK):
        ledger.db.execute("insert into plan_identities select unnest(?::varchar[])", [found])
    reason = verdicts.forbidden_sql(ledger, "identity")
    count = ledger.value(f"select count(*) from plan_identities where {reason} is not null")
    known = " union all ".join(f"select heap_identity from {relation}" for relation in told)
    count_unknown = ledger.value(
        f"select count(*) from plan_identities anti join ({known}) as known "
        "on known.heap_identity = plan_identities.identity"
    )
    ledger.db.execute("drop table plan_identities")
    if count:
        raise CounterfoilError(
            f"{count:,} rows of the plan belong to people who may no longer be told: make a new "
            "plan with `counterfoil plan`."
        )
    if count_unknown:
        raise CounterfoilError(
            f"{count_unknown:,} rows of the plan are about people whom the warehouse does not "
            "know, so that nobody can say whether they may be told: build from the whole exports, "
            "then make a new plan with `counterfoil plan`."
        )
