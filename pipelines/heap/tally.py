"""What a plan counts: rows, refusals, names and identities that would be new to Heap."""

from __future__ import annotations

from pipelines.errors import CounterfoilError
from pipelines.heap import gates, verdicts
from pipelines.heap.basis import Basis, Mart
from pipelines.heap.limits import HEAP_EVENTS_PER_IDENTITY_MINUTE, HEAP_EVENTS_PER_MINUTE
from pipelines.heap.payload import Column
from pipelines.heap.plan import Plan


def count(plan: Plan, basis: Basis) -> None:
    """Fill a plan's counts and names from the temp tables of events and user properties.

    Raises:
        CounterfoilError: a property would change its type.
    """
    ledger = basis.ledger
    plan.models_due = [mart.model.name for mart in basis.due]
    plan.held_back = dict.fromkeys(basis.held_back, 0)
    for number, rows in ledger.rows(
        "select model, count(*) from planned group by model order by model"
    ):
        plan.events[basis.marts[number].model.title] = rows
    plan.count_events = sum(plan.events.values())
    plan.count_users = int(ledger.value("select count(*) from user_rows where verdict is null"))
    for name, leaver, rows in ledger.rows(
        "select property, is_leaver, count(*) from changes inner join user_rows "
        "using (heap_identity) where verdict is null group by all order by all"
    ):
        (plan.leavers if leaver else plan.properties)[name] = rows
    _count_refused(plan, basis)
    _count_new(plan, basis)
    _name(plan, basis)
    busiest = int(
        ledger.value(
            "select coalesce(max(count), 0) from "
            "(select count(*) as count from planned group by heap_identity)"
        )
    )
    plan.minutes = round(
        max(
            (plan.count_events + plan.count_users) / HEAP_EVENTS_PER_MINUTE,
            (busiest - 1) // HEAP_EVENTS_PER_IDENTITY_MINUTE,
        ),
        1,
    )
    plan.uncertain = int(ledger.value("select count(*) from uncertain"))
    plan.erasures_due = int(
        ledger.value(
            "select count(*) from forbidden_identities where heap_identity in "
            "(select heap_identity from known_receipts union select heap_identity from "
            "known_properties)"
        )
    )


def _count_refused(plan: Plan, basis: Basis) -> None:
    ledger = basis.ledger
    plan.values_cut = int(
        ledger.value(
            "select coalesce((select sum(count_cut) from planned), 0) + coalesce((select "
            "sum(count_cut) from held_identities where heap_identity in "
            "(select heap_identity from user_rows where verdict is null)), 0)"
        )
    )
    found = [
        (basis.marts[number].model.title, verdict, rows)
        for number, verdict, rows in ledger.rows(
            "select model, verdict, count(*) from judged where verdict is not null "
            "group by all order by all"
        )
    ]
    found += [
        ("user properties", verdict, rows)
        for verdict, rows in ledger.rows(
            "select verdict, count(*) from user_rows where verdict is not null "
            "group by all order by all"
        )
    ]
    for title, verdict, rows in found:
        if verdict == "moved":
            plan.identities_moved += rows
        elif verdict == "dead letter":
            plan.dead_letters_waiting += rows
        elif verdict != "not asked":
            plan.refused[f"{title}: {verdict.removeprefix('refused: ')}"] = rows
    refusals = basis.warehouse.find("heap_refusals", "heap")
    if refusals and not basis.replay:
        for kind, reason, rows in ledger.rows(
            f"select kind, reason, count(*) from {refusals} group by all order by all"
        ):
            plan.refused[f"mart, {kind}: {reason}"] = rows


def _count_new(plan: Plan, basis: Basis) -> None:
    ledger = basis.ledger
    persons = verdicts.newcomers(basis.warehouse)
    basis.run("new_identities", persons=persons)
    found = dict(ledger.rows("select model, count(*) from new_identities group by model"))
    plan.count_identities = int(
        ledger.value("select count(distinct heap_identity) from told_identities")
    )
    plan.count_new_identities = int(
        ledger.value("select count(distinct heap_identity) from new_identities")
    )
    assignments = basis.warehouse.require(
        "fct_experiment_assignments", "experiment_key", "person_id", "arm"
    )
    by_arm = basis.sql("newcomers_by_arm", persons=persons, assignments=assignments)
    plan.newcomers = {arm: {"told": told, "held": held} for arm, told, held in ledger.rows(by_arm)}
    for mart in basis.due:
        rows = int(found.get(mart.number if mart.model.kind == "event" else -1, 0))
        plan.new_identities[mart.model.title] = rows
        plan.gates.append(gates.new_identity_gate(mart.model, rows))


def _name(plan: Plan, basis: Basis) -> None:
    """Names the plan would use, those Heap has not seen, and types that may not change."""
    known = {
        (kind, event, name): wire
        for kind, event, name, wire in basis.ledger.rows(
            "select kind, event, property, wire_type from names where target = ?", [basis.target]
        )
    }
    for mart in basis.marts:
        event = mart.model.event or ""
        if mart.model.kind == "event" and not plan.events.get(mart.model.title):
            continue
        key = [Column("publish_key", "VARCHAR")] if mart.model.kind == "event" else []
        for column in key + mart.columns:
            if mart.model.kind == "event" or column.name in plan.properties:
                _add_name(plan, known, mart, column)
        if event and not any(e == event for _, e, _ in known):
            plan.new_events.append(event)
    # a retired property is told false under a name that Heap already has
    plan.booleans = sorted({name for _, _, name, wire in plan.names if wire == "boolean"})


def _add_name(
    plan: Plan, known: dict[tuple[str, str, str], str], mart: Mart, column: Column
) -> None:
    model, event = mart.model, mart.model.event or ""
    before = known.get((model.kind, event, column.name))
    if before is None:
        plan.new_properties.append(f"{event}.{column.name}" if event else column.name)
    elif before != column.wire_type:
        raise CounterfoilError(
            f"{model.name}.{column.name} was {before} and is now {column.wire_type}: "
            "Heap keeps one type per property, so give the new meaning a new name."
        )
    plan.names.append((model.kind, event, column.name, column.wire_type))
