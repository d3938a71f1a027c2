"""What a plan says, row by row, against what the marts say now.

A row goes when a fresh plan would say it in the same words. What would not is held, with the
reason: its person may no longer be told, it was found to be a ghost, or it says something else by
now. If it is still due, the next fresh plan says it anew.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import islice
from typing import IO

from pipelines.built.quoting import literal
from pipelines.heap import verdicts
from pipelines.heap.basis import Basis
from pipelines.heap.events import event_rows, judge_events
from pipelines.heap.ledger import Ledger
from pipelines.heap.marts import HeapModel
from pipelines.heap.plan import Plan
from pipelines.heap.properties import judge_users, user_key_sql

ROWS_AT_ONCE = 10_000
"""Rows of a plan that are read at once."""

USERS = "user properties"
"""What held rows that are no events are counted under."""

Held = Callable[[Sequence[str]], set[str]]
"""Which of these keys are not sent."""


def hold_back(plan: Plan, lines: IO[bytes], basis: Basis) -> None:
    """Compare what is left of a plan with the marts, and note in it what is held.

    Leaves the temp table `held_rows`, which `held_in` reads; the counts by event and reason are put
    into `plan.held`. A model of which rows are held is not through with this plan, so that its
    cadence keeps no fresh plan from saying them.

    Args:
        lines: the plan's bytes, as they will be sent.
        basis: marts and ledger as they are now, with every mart due.
    """
    db = basis.ledger.db
    db.execute(
        "create or replace temp table plan_rows (row_key varchar, event varchar, "
        "heap_identity varchar, delivery_id varchar, digest varchar)"
    )
    _read(plan, lines, basis)
    judge_events(basis)
    judge_users(basis)
    db.execute("delete from planned where publish_key not in (select row_key from plan_rows)")
    user_key = user_key_sql(basis.ledger.salt, "heap_identity")
    basis.run("rows_now", event_rows=event_rows(basis, basis.due_of("event")), user_key=user_key)
    basis.run(
        "held_rows",
        user_key=user_key,
        plan_id=literal(plan.plan_id),
        refusals=basis.warehouse.require("heap_refusals", "publish_key", "reason"),
        forbidden=verdicts.forbidden_sql(basis.ledger, "differing.heap_identity"),
        ghosts=ghosts(basis),
        known=_known(basis),
    )
    for name in ("plan_rows", "rows_now"):
        db.execute(f"drop table {name}")
    found = basis.ledger.rows(
        "select title, reason, count(*) from held_rows where reason is not null "
        "group by title, reason order by title, reason"
    )
    plan.held = {f"{title}: {reason}": count for title, reason, count in found}
    titles = {title for title, _, _ in found}
    plan.models_due = [
        mart.model.name
        for mart in basis.marts
        if mart.model.name in plan.models_due and _title(mart.model) not in titles
    ]


def held_in(ledger: Ledger) -> Held:
    """Which rows a plan that was compared does not say; see `hold_back`."""

    def held(keys: Sequence[str]) -> set[str]:
        found = ledger.rows(
            "select row_key from held_rows where row_key in (select unnest(?::varchar[]))",
            [list(keys)],
        )
        return {key for (key,) in found}

    return held


def ghosts(basis: Basis) -> str:
    """SQL for the deliveries that reached a trap and nobody."""
    exposures = basis.warehouse.find("fct_message_exposures")
    if exposures is None:
        return "select null as delivery_id where false"
    return f"select distinct delivery_id from {exposures} where exposure_kind = 'ghost'"


def _title(model: HeapModel) -> str:
    return model.event or USERS


def _read(plan: Plan, lines: IO[bytes], basis: Basis) -> None:
    lines.seek(0)
    lines.readline()
    lines.seek(lines.tell() + basis.ledger.settled(plan.plan_id)[1])
    salt = basis.ledger.salt
    identity = "json_extract_string(line, '$.identity')"
    statement = basis.sql("plan_rows", user_key=user_key_sql(salt, identity))
    while found := [line.rstrip(b"\n").decode() for line in islice(lines, ROWS_AT_ONCE)]:
        basis.ledger.db.execute(statement, {"lines": found})


def _known(basis: Basis) -> str:
    """SQL for the identities that anything of ours knows."""
    relations = [mart.relation for mart in basis.marts]
    relations += [basis.persons, "receipts", "property_state"]
    return " union all ".join(f"select heap_identity from {place}" for place in relations)
