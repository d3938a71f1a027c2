"""The events of a plan: which rows Heap has not heard, in which order, as they are sent."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from pipelines.built.quoting import literal
from pipelines.heap import verdicts
from pipelines.heap.basis import Basis, Mart
from pipelines.heap.limits import HEAP_EVENTS_PER_IDENTITY_MINUTE, MAX_TEXT, MIN_KEY
from pipelines.heap.payload import instant_sql, properties_sql


def judge_events(basis: Basis) -> None:
    """Make the temp tables `judged` (why a row is not sent, or null) and `planned` (what is sent).

    Raises:
        CounterfoilError: a mart holds a row that must not leave.
    """
    db, ledger = basis.ledger.db, basis.ledger
    db.execute(
        "create or replace temp table candidates (model integer, publish_key varchar, "
        "heap_identity varchar, occurred_at timestamp, is_moved boolean, stray varchar, "
        "count_cut integer)"
    )
    for mart in basis.due_of("event"):
        _add_candidates(basis, mart)
    _refuse_strays(basis)
    basis.run("judged", forbidden=verdicts.forbidden_sql(ledger, "heap_identity"))
    db.execute("drop table candidates")
    if basis.replay:
        db.execute(
            "update judged set verdict = case when verdict = 'dead letter' then null "
            "else coalesce(verdict, 'not asked') end"
        )
    basis.run("planned", place_of_row=_place(basis))


def event_lines(basis: Basis) -> str:
    """SQL for every planned event as it will be sent, in order of time."""
    rows = event_rows(basis, basis.due_of("event"))
    return f"select line from ({rows}) order by place, publish_key"


def event_rows(basis: Basis, marts: Sequence[Mart], planned: str = "planned") -> str:
    """SQL for place, publish_key and line of the rows of these marts that `planned` names."""
    parts = [_lines(basis, mart, planned) for mart in marts]
    none = "select null as place, null as publish_key, null as line where false"
    return " union all ".join(parts or [none])


def happened_at(basis: Basis, mart: Mart) -> str:
    """SQL for when a row of `mart` happened, UTC without zone."""
    data_type = basis.warehouse.types(mart.relation)["occurred_at"]
    if data_type.endswith("WITH TIME ZONE"):
        return "timezone('UTC', mart.occurred_at)"
    return "cast(mart.occurred_at as timestamp)"


def _add_candidates(basis: Basis, mart: Mart) -> None:
    build_at = basis.warehouse.as_of
    hours = mart.model.embargo_hours
    embargo_from = f"timestamp '{build_at - timedelta(hours=hours)}'" if hours else "null"
    basis.run(
        "candidates",
        number=mart.number,
        happened_at=happened_at(basis, mart),
        as_of=f"timestamp '{build_at}'",
        embargo_from=embargo_from,
        shortest=MIN_KEY,
        longest=MAX_TEXT,
        value_fault=mart.fault,
        values_cut=mart.count_cut,
        mart=mart.relation,
        persons=basis.persons,
    )


def _refuse_strays(basis: Basis) -> None:
    has_strays = basis.ledger.value(
        "select count(stray) + count(publish_key) - count(distinct publish_key) from candidates"
    )
    strays = basis.ledger.rows(basis.sql("event_strays")) if has_strays else []
    for number, reason, count in strays:
        raise verdicts.stray_error(basis.marts[number].model.name, reason, count)


def _place(basis: Basis) -> str:
    """SQL for a row's place: its time, or the share of the way through the plan.

    An identity with more events than Heap takes of it in a minute is spread out.
    """
    most = HEAP_EVENTS_PER_IDENTITY_MINUTE
    is_crowded = basis.ledger.value(
        "select count(*) from (select 1 from judged where verdict is null "
        f"group by heap_identity having count(*) > {most})"
    )
    if not is_crowded:
        return "cast(epoch_us(occurred_at) as double)"
    mine = "partition by heap_identity"
    in_time = "order by occurred_at, publish_key"
    return (
        f"case when count(*) over ({mine}) > {most} "
        f"then (row_number() over ({mine} {in_time}) - 0.5) / count(*) over ({mine}) "
        f"else (row_number() over ({in_time}) - 0.5) / count(*) over () end"
    )


def _lines(basis: Basis, mart: Mart, planned: str) -> str:
    key = "cast(to_json(mart.publish_key) as varchar)"
    return basis.sql(
        "event_lines",
        number=mart.number,
        start=literal(f'{{"event":"{mart.model.event}","identity":'),
        timestamp=instant_sql("planned.occurred_at", "TIMESTAMP"),
        properties=properties_sql(mart.columns, "mart", first=f"""'"publish_key":' || {key}"""),
        mart=mart.relation,
        planned=planned,
    )
