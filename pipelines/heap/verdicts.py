"""Who may be told: the verdict of the build, read and never made here.

`dim_persons` says who may be told, under which identity, and why not; `heap_persons` who is held as
new to Heap; `heap_forbidden_identities` under which identities nobody may be told. What the ledger
adds is its own memory of who was erased.
"""

from __future__ import annotations

from pipelines.errors import CounterfoilError
from pipelines.heap.ledger import Ledger
from pipelines.heap.warehouse import Warehouse
from pipelines.loading import tombstones
from pipelines.loading.identifiers import TOLD_TYPES
from pipelines.plural import counted


def persons(warehouse: Warehouse) -> str:
    """The relation that says who may be told.

    Raises:
        CounterfoilError: the warehouse cannot say it.
    """
    return warehouse.require(
        "dim_persons",
        "person_id", "heap_identity", "match_status", "is_publishable", "refusal_reason",
    )  # fmt: skip


def newcomers(warehouse: Warehouse) -> str:
    """The relation that says who is new to Heap, and of these who is held.

    Raises:
        CounterfoilError: the warehouse cannot say it.
    """
    return warehouse.require(
        "heap_persons", "person_id", "heap_identity", "is_new_to_heap", "is_held"
    )


def load_forbidden(ledger: Ledger, warehouse: Warehouse) -> None:
    """Make the do-not-publish list, the temp tables `forbidden_identities` and `held_newcomers`.

    Raises:
        CounterfoilError: the warehouse cannot say who may be told.
    """
    persons(warehouse)
    forbidden = warehouse.require("heap_forbidden_identities", "identifier")
    ledger.db.execute(
        "create or replace temp table forbidden_identities as "
        f"select distinct identifier as heap_identity from {forbidden}"
    )
    ledger.db.execute(
        "create or replace temp table held_newcomers as "
        f"select distinct heap_identity from {newcomers(warehouse)} where is_held"
    )


def forbidden_sql(ledger: Ledger, identity: str) -> str:
    """SQL for why an identity may not be told, or null. Needs `load_forbidden`."""
    tests = [
        f"when {identity} in (select heap_identity from forbidden_identities) "
        "then 'not publishable'",
        f"when {identity} in (select heap_identity from held_newcomers) then 'new to Heap'",
    ]
    if tombstones.any_in(ledger):
        erased = tombstones.forbidden_sql(ledger, identity, TOLD_TYPES)
        tests.append(f"when {erased} then 'erased'")
    return f"case {' '.join(tests)} end"


def stray_error(mart: str, reason: str, count: int) -> CounterfoilError:
    """The error for a mart that holds what must not leave: its SQL, not the plan, leaves it out."""
    return CounterfoilError(
        f"{mart} holds {counted(count, 'row')} that must not leave ({reason}), so "
        "nothing is planned: leave such rows out in its SQL, as heap_refusal_reason does, and "
        "build again."
    )
