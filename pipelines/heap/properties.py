"""The user properties of a plan: per identity and property, only what Heap does not hold yet."""

from __future__ import annotations

from pipelines.built.quoting import literal, quoted
from pipelines.heap import verdicts
from pipelines.heap.basis import Basis, Mart
from pipelines.heap.ledger import Ledger
from pipelines.heap.payload import hash_sql, json_sql, text_sql

USER_LINES = "select line from user_rows where verdict is null order by heap_identity"
"""SQL for every planned identity as it will be sent."""


def judge_users(basis: Basis) -> None:
    """Make the temp tables `changes` (one a property) and `user_rows` (one an identity).

    Raises:
        CounterfoilError: a mart holds an identity that must not leave.
    """
    db = basis.ledger.db
    db.execute(
        "create or replace temp table changes (heap_identity varchar, property varchar, "
        "json varchar, is_leaver boolean)"
    )
    db.execute(
        "create or replace temp table held_identities "
        "(model integer, heap_identity varchar, stray varchar, count_cut integer)"
    )
    marts = [mart for mart in basis.marts if mart.model.kind == "user_properties"]
    if len(marts) == len(basis.due_of("user_properties")):
        for mart in marts:
            _hold(basis, mart)
            _add_changes(basis, mart)
        _add_leavers(basis, marts)
    basis.run(
        "user_rows",
        forbidden=verdicts.forbidden_sql(basis.ledger, "heap_identity"),
        waiting=_waiting(basis),
    )


def user_key(ledger: Ledger, identity: str) -> str:
    """The key under which an identity's properties are dead-lettered: a salted hash."""
    return f"user:{ledger.identity_hash(identity)}"


def user_key_sql(salt: str, identity: str) -> str:
    """SQL for `user_key`."""
    return f"'user:' || left(sha256('{salt}:identity:' || {identity}), 32)"


def _hold(basis: Basis, mart: Mart) -> None:
    basis.run(
        "held_identities",
        number=mart.number,
        value_fault=mart.fault,
        values_cut=mart.count_cut,
        mart=mart.relation,
        persons=basis.persons,
    )
    for reason, count in basis.ledger.rows(
        "select stray, count(*) as count_strays from held_identities where stray is not null "
        "group by stray order by count_strays desc, stray"
    ):
        raise verdicts.stray_error(mart.model.name, reason, count)


def _add_changes(basis: Basis, mart: Mart) -> None:
    for column in mart.columns:
        if column.name not in basis.retired:
            basis.run(
                "changes",
                mart=mart.relation,
                sent_text=text_sql(column, "mart"),
                name=literal(column.name),
                sent_json=json_sql(column, "told.sent"),
                sent_hash=hash_sql(column, "told.sent"),
            )


def _add_leavers(basis: Basis, marts: list[Mart]) -> None:
    for (name,) in basis.ledger.rows(
        "select distinct property from known_properties where is_true order by property"
    ):
        holders = [
            f"select heap_identity from {mart.relation} where {quoted(name)} is not null"
            for mart in marts
            if name in mart.model.properties and name not in basis.retired
        ]
        basis.run(
            "leavers",
            name=literal(name),
            holders=" union all ".join(holders) or "select null where false",
        )


def _waiting(basis: Basis) -> str:
    """SQL for the verdict on rows that wait as dead letters, or on those that do not."""
    waits = "false"
    if basis.ledger.value("select count(*) from open_dead_letters where kind <> 'event'"):
        key = user_key_sql(basis.ledger.salt, "heap_identity")
        same = "" if basis.replay else " and row_hash = md5(line)"
        waits = (
            "exists (select 1 from open_dead_letters where kind <> 'event' "
            f"and publish_key = {key}{same})"
        )
    if basis.replay:
        return f"case when not {waits} then 'not asked' end"
    return f"case when {waits} then 'dead letter' end"
