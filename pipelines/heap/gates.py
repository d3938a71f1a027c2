"""The few gates between a plan and Heap.

Each is declared somewhere an analyst can read, and shown in the plan.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

from pipelines.heap.ledger import Ledger
from pipelines.heap.marts import HeapModel
from pipelines.heap.warehouse import Warehouse
from pipelines.loading import tombstones
from pipelines.loading.identifiers import TOLD_TYPES
from pipelines.settings import PROJECT_DIR

PLACEHOLDERS = (
    "0", "-", "-1", "00000000-0000-0000-0000-000000000000", "[object object]", "anonymous", "false",
    "guest", "n/a", "na", "nan", "nil", "none", "null", "test", "true", "undefined", "unknown",
)  # fmt: skip
"""Identities under which strangers merge in Heap for ever; compared trimmed and in lower case."""

SEGMENT_PREFIX = "cio_seg_"
"""How the contract spells a segment version as a user property: `cio_seg_<key>_v<n>`."""


@dataclass(frozen=True)
class Declared:
    """What `vars` in dbt_project.yml declares for publishing.

    heap_events_per_month: event budget of a calendar month (UTC); None for no budget.
    """

    heap_events_per_month: int | None = None


@dataclass(frozen=True)
class Gate:
    """One check: its name, whether it lets the plan through, and a sentence for people."""

    name: str
    is_open: bool
    sentence: str


def read_declared(project: Path = PROJECT_DIR) -> Declared:
    """Read the publishing vars of the dbt project; what is not declared keeps its default."""
    path = project / "dbt_project.yml"
    if not path.exists():
        return Declared()
    found: dict[str, Any] = (yaml.safe_load(path.read_text()) or {}).get("vars") or {}
    scoped = [v for v in found.values() if isinstance(v, dict)]
    known = {k: v for place in (*scoped, found) for k, v in place.items()}
    budget = known.get("heap_events_per_month")
    return Declared(None if budget is None else int(budget))


def match_rate_gate(warehouse: Warehouse) -> Gate:
    """Every workspace is matched (or, without Heap Connect, identifiable) as well as declared.

    The least rate is the registry's (`identity_thresholds.csv`), as the build judged it.
    """
    name = "match rate"
    relation = warehouse.require(
        "fct_identity_match_rate",
        "workspace_id", "match_rate", "identifiable_rate", "minimum_rate", "is_met",
    )  # fmt: skip
    found = warehouse.db.execute(
        f"""
        select
            workspace_id, match_rate is not null as is_matched,
            cast(coalesce(match_rate, identifiable_rate) as double) as rate,
            minimum_rate, is_met
        from {relation}
        order by workspace_id
        """
    ).fetchall()
    persons = warehouse.require("dim_persons")
    if not found and warehouse.db.execute(f"select 1 from {persons} limit 1").fetchall():
        return Gate(
            name,
            False,
            "There are persons and no match rate, so nothing was judged: run `counterfoil build`.",
        )
    judged = [
        (f"workspace {w}: {rate:.1%} {'matched' if matched else 'identifiable'}", least, is_met)
        for w, matched, rate, least, is_met in found
        if rate is not None and least is not None
    ]
    if not judged:
        return Gate(name, True, "No workspace has a match rate, so nothing was judged.")
    low = [f"{said}, needs {least:.0%}" for said, least, is_met in judged if not is_met]
    if low:
        return Gate(
            name,
            False,
            f"The match rate is too low ({'; '.join(low)}): see `counterfoil identity check`, or "
            "lower the rate in identity_thresholds.csv.",
        )
    return Gate(name, True, "; ".join(said for said, _, _ in judged) + ".")


def budget_gate(
    ledger: Ledger, target: str | None, planned: int, declared: Declared, now: datetime
) -> Gate:
    """The month's events, with those of the plan, stay within the declared budget."""
    month = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    used = int(
        ledger.value(
            "select count(*) from receipts where target = ? and acknowledged_at >= ?",
            [target, month],
        )
        or 0
    )
    budget = declared.heap_events_per_month
    if budget is None:
        return Gate(
            "event budget", True, f"{used + planned:,} events this month; no budget is declared."
        )
    if used + planned > budget:
        return Gate(
            "event budget",
            False,
            f"The plan needs {planned:,} events and {max(budget - used, 0):,} of this month's "
            f"{budget:,} are left: raise heap_events_per_month in dbt_project.yml, or wait.",
        )
    return Gate("event budget", True, f"{used + planned:,} of {budget:,} events this month.")


def new_identity_gate(model: HeapModel, count: int) -> Gate:
    """A model invents no more users in Heap than it declares."""
    name = f"new identities of {model.title}"
    most = model.max_new_identities
    if most is None:
        return Gate(name, True, f"{count:,} identities are new to Heap; no maximum is declared.")
    if count > most:
        return Gate(
            name,
            False,
            f"{model.name} would create up to {count:,} users in Heap and allows {most:,}: check "
            "the identities, or raise max_new_identities in the model's yml.",
        )
    return Gate(name, True, f"{count:,} of at most {most:,} identities are new to Heap.")


def segment_gate(warehouse: Warehouse, models: Iterable[HeapModel], as_of: datetime | None) -> Gate:
    """Every exported segment version is a user property, not only a stamp on events."""
    name = "exported segments"
    current, _ = segment_versions(warehouse, as_of)
    held = [p for model in models if model.kind == "user_properties" for p in model.properties]
    missing = [s for s in current if SEGMENT_PREFIX + s not in held]
    if missing:
        return Gate(
            name,
            False,
            f"The exported segment {missing[0]} is no user property: add its column to the "
            "user properties model, or set is_exported to false in the segment's yml.",
        )
    return Gate(name, True, f"{len(current)} exported segments are user properties.")


def segment_versions(warehouse: Warehouse, as_of: datetime | None) -> tuple[list[str], list[str]]:
    """Suffixes `<key>_v<n>` of exported versions that hold at `as_of`, and of retired ones."""
    relation = warehouse.require(
        "dim_segment_versions", "segment_key", "version", "is_exported", "valid_to"
    )
    found = warehouse.db.execute(
        f"""
        select
            segment_key || '_v' || ltrim(cast(version as varchar), 'v') as suffix,
            coalesce(is_exported, false) as is_exported,
            valid_to is not null
                and (?::timestamp is null or cast(valid_to as timestamp) <= ?::timestamp)
                as is_retired
        from {relation}
        order by suffix
        """,
        [as_of, as_of],
    ).fetchall()
    current = [suffix for suffix, exported, retired in found if exported and not retired]
    retired = [suffix for suffix, _, is_retired in found if is_retired]
    return current, retired


def load_forbidden(ledger: Ledger, warehouse: Warehouse) -> None:
    """Make the do-not-publish list: temp tables `forbidden_persons` and `forbidden_identities`.

    A person who may not be told is out under every identity they hold, unless somebody else who
    may be told holds it now.

    Raises:
        CounterfoilError: the warehouse cannot say who may be told.
    """
    db = ledger.db
    identities = ("heap_identity", "customer_id", "email")
    persons = warehouse.require("dim_persons", "person_id", "is_publishable", *identities)
    identifiers = warehouse.require(
        "map_identifiers", "person_id", "identifier_type", "identifier", "valid_to"
    )
    db.execute("create or replace temp table forbidden_persons (person_id varchar)")
    db.execute("create or replace temp table forbidden_identities (heap_identity varchar)")
    db.execute(
        f"insert into forbidden_persons "
        f"select cast(person_id as varchar) from {persons} "
        "where not coalesce(is_publishable, false)"
    )
    held = [
        f"select {column} as identity from {persons} where not coalesce(is_publishable, false)"
        for column in identities
    ]
    held.append(
        f"select identifier as identity from {identifiers} "
        "where identifier_type in ('heap_identity', 'customer_id', 'email') "
        "and valid_to is null and cast(person_id as varchar) in (from forbidden_persons)"
    )
    db.execute(
        f"""
        insert into forbidden_identities
        select distinct identity from ({" union all ".join(held)})
        where identity is not null and identity not in (
            select heap_identity from {persons}
            where coalesce(is_publishable, false) and heap_identity is not null)
        """
    )


def forbidden_sql(ledger: Ledger, identity: str, person: str | None = None) -> str:
    """SQL for why an identity may not be told, or null. Needs `load_forbidden`."""
    tests = [
        f"when {identity} in (select heap_identity from forbidden_identities) "
        "then 'not publishable'"
    ]
    if person is not None:
        tests.insert(
            0, f"when {person} in (select person_id from forbidden_persons) then 'not publishable'"
        )
    if tombstones.any_in(ledger):
        erased = tombstones.forbidden_sql(ledger, identity, TOLD_TYPES)
        tests.append(f"when {erased} then 'erased'")
    return f"case {' '.join(tests)} end"
