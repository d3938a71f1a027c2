"""The lock of the primary identifier: what Heap knows people by never changes without a rehearsal.

It lies beside the rules, `identity_lock.csv`, and every build holds them to it (macros/identity/
require_identity_rules.sql). Only `lock_identity` writes it.
"""

from __future__ import annotations

import csv
from dataclasses import asdict, dataclass
from pathlib import Path

from pipelines.blanks import BLANKS
from pipelines.built.tables import Tables, attach_ledger, open_warehouse
from pipelines.console import Console
from pipelines.errors import CounterfoilError
from pipelines.identity.migrate import digest_of, rehearsed
from pipelines.registries import OURS, RULES, checked, rows
from pipelines.registries.sheet import Row
from pipelines.settings import Settings

FIRST = "first choice"

Scope = int | None
"""A workspace, or None for all."""


@dataclass(frozen=True)
class LockSummary:
    """What `lock_identity` did, in words: `customer_id for all workspaces`."""

    locked: tuple[str, ...]
    unchanged: tuple[str, ...]

    def facts(self) -> dict[str, object]:
        """What --json prints."""
        return asdict(self)


def lock_identity(
    settings: Settings, console: Console, *, registries: Path | None = None, check: bool = False
) -> LockSummary:
    """Lock the primary identifier of the rules in a folder: a first choice, or one migrated to.

    Args:
        registries: the folder of the rules; default ours.
        check: record nothing; fail when the rules are not locked as they are.

    Raises:
        UsageError: a registry cannot be read.
        CounterfoilError: there are no rules, or another identifier is locked and no rehearsal that
            is still true leads to the new one.
    """
    checked(registries)
    folder = registries or OURS
    declared = _primaries(folder)
    locked = _locked(folder)
    changed = [scope for scope in declared if locked.get(scope, ("",))[0] != declared[scope]]
    gone = [scope for scope in locked if scope not in declared]
    if check and (changed or gone):
        raise CounterfoilError(
            f"The primary identifier of {_whose((changed + gone)[0])} is not locked as it is in "
            "identity_rules.csv: run `counterfoil identity lock` and commit identity_lock.csv."
        )
    entries = {scope: entry for scope, entry in locked.items() if scope in declared}
    for scope in changed:
        before = locked.get(scope) or (locked.get(None) if scope is not None else None)
        known = before is None or before[0] == declared[scope]
        reason = FIRST if known else _rehearsal(settings, folder, scope, declared[scope])
        entries[scope] = (declared[scope], reason)
    if changed or gone:
        _write(folder / "identity_lock.csv", entries)
    summary = LockSummary(
        locked=tuple(f"{declared[scope]} for {_whose(scope)}" for scope in changed),
        unchanged=tuple(
            f"{declared[scope]} for {_whose(scope)}" for scope in declared if scope not in changed
        ),
    )
    for said in summary.locked:
        console.line(f"Locked {said}.")
    for said in summary.unchanged:
        console.line(f"{said} is locked as it is.")
    console.record(identity_lock=summary.facts())
    return summary


def require_true_rehearsals(settings: Settings, seeds: Path) -> None:
    """Hold the rehearsal of a migration to this home, before the build that makes the change.

    Where Heap was told nothing yet, nobody can be there twice, and any data will do.

    Raises:
        CounterfoilError: a rehearsal says other people now than when it was made.
    """
    migrated = {s: entry for s, entry in _locked(seeds).items() if entry[1] != FIRST}
    if not migrated or not settings.warehouse_path.exists():
        return
    with Tables.opened_in_part(settings) as tables:
        ledger = attach_ledger(tables, settings)
        if tables.mark is None or ledger is None or not _has_told(ledger):
            return
        for scope, (identifier, rehearsal) in migrated.items():
            if _built_with(tables, scope) not in (None, identifier):
                _require_same(tables, scope, identifier, rehearsal)


def _rehearsal(settings: Settings, folder: Path, scope: Scope, identifier: str) -> str:
    """The rehearsal that the last migration of a scope names, once it is true of this home."""
    migrations = [
        row for row in rows(folder / "identity_migrations.csv") if _scope(row) in (scope, None)
    ]
    migrations.sort(key=lambda row: (_scope(row) is not None, row["decided_on"]))
    last: Row = migrations[-1] if migrations else {}
    rehearsal = last.get("rehearsal", "")
    if last.get("to_identifier_type") != identifier or not rehearsal:
        raise CounterfoilError(
            f"The primary identifier of {_whose(scope)} is locked as another than {identifier}: "
            f"rehearse the change with `counterfoil identity migrate --to {identifier}`, and put "
            "the row that it prints into identity_migrations.csv."
        )
    with open_warehouse(settings) as tables:
        _require_same(tables, scope, identifier, rehearsal)
    return rehearsal


def _require_same(tables: Tables, scope: Scope, identifier: str, rehearsal: str) -> None:
    if digest_of(rehearsed(tables, identifier, scope)) != rehearsal.rpartition(":")[2]:
        raise CounterfoilError(
            f"The rehearsal {rehearsal} is not what a change to {identifier} would do now: run "
            f"`counterfoil identity migrate --to {identifier}` on the last build, put its row into "
            "identity_migrations.csv, and lock it with `counterfoil identity lock`."
        )


def _has_told(ledger: Tables) -> bool:
    return bool(ledger.rows("select 1 from {receipts} limit 1", reads=["receipts"]))


def _built_with(tables: Tables, scope: Scope) -> str | None:
    """The primary identifier of the last build in a scope; None where it has none, or several."""
    rows = tables.rows(
        """
        select distinct identifier_type from {int_identity__rules}
        where role = 'primary' and ($workspace is null or workspace_id = $workspace)
        """,
        {"workspace": scope},
        reads=["int_identity__rules"],
    )
    return str(rows[0]["identifier_type"]) if len(rows) == 1 else None


def _primaries(folder: Path) -> dict[Scope, str]:
    found = {
        _scope(row): row["identifier_type"].strip(BLANKS)
        for row in rows(folder / f"{RULES}.csv")
        if row["role"].strip(BLANKS).lower() == "primary"
    }
    if not found:
        raise CounterfoilError(
            "identity_rules.csv declares no primary identifier, so there is nothing to lock: "
            "declare one row with the role primary (ours is customer_id)."
        )
    return found


def _locked(folder: Path) -> dict[Scope, tuple[str, str]]:
    return {
        _scope(row): (row["identifier_type"], row["rehearsal"])
        for row in rows(folder / "identity_lock.csv")
    }


def _scope(row: Row) -> Scope:
    text = row["workspace_id"].strip(BLANKS)
    return int(text) if text else None


def _whose(scope: Scope) -> str:
    return "all workspaces" if scope is None else f"workspace {scope}"


def _write(path: Path, entries: dict[Scope, tuple[str, str]]) -> None:
    beside = path.with_suffix(".csv.new")
    with beside.open("w", newline="", encoding="utf-8") as handle:
        writer = csv.writer(handle, lineterminator="\n")
        writer.writerow(["workspace_id", "identifier_type", "rehearsal"])
        for scope in sorted(entries, key=lambda scope: -1 if scope is None else scope):
            writer.writerow(["" if scope is None else scope, *entries[scope]])
    beside.replace(path)
