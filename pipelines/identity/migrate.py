"""`identity migrate`: what a change of the shared identifier would do, without doing it."""

from __future__ import annotations

import csv
import hashlib
import io
from dataclasses import asdict, dataclass
from pathlib import Path

from pipelines.built.tables import Record, Tables, open_warehouse
from pipelines.console import Console
from pipelines.errors import CounterfoilError, UsageError
from pipelines.home import private
from pipelines.identity import sheets
from pipelines.settings import Settings

IDENTIFIERS = ("customer_id", "email")
USERS_AN_IDENTITY_A_MONTH = 10  # Heap's limit of identify calls, the rest is dropped in silence

REHEARSAL = Path(__file__).with_name("migrate.sql")

COLUMNS = ("person_id", "workspace_id", "old_identity", "new_identity", "outcome")


@dataclass(frozen=True)
class Rehearsal:
    """What changing the shared identifier would do.

    Attributes:
        from_identifier, to_identifier: primary now and then.
        count_mapped: persons who would go under a new identity.
        count_unchanged: whose identity stays the same.
        count_orphaned: who have no such identifier and stay with what they have.
        count_collided: who would share the new identity with somebody, so it cannot be used.
        count_doubled: mapped persons whom Heap already knows under another identity: Heap would
            hold them twice, and an identified user cannot be moved.
        count_split: persons of several Heap users of which only some can follow.
        count_calls: identify calls for the anonymous users that can follow (at least one a mapped
            person where Heap was not asked).
        months: how long these take at ten users an identity a month.
        has_heap_connect: False: Heap was not asked, and doubles cannot be counted.
        mapping: the file with every old and new identity: the way there and the way back.
        declaration: the row for identity_migrations.csv.
    """

    from_identifier: str
    to_identifier: str
    count_mapped: int
    count_unchanged: int
    count_orphaned: int
    count_collided: int
    count_doubled: int
    count_split: int
    count_calls: int
    months: int
    has_heap_connect: bool
    mapping: Path
    declaration: str
    way_back: str

    def facts(self) -> dict[str, object]:
        """What --json prints."""
        return {**asdict(self), "mapping": str(self.mapping)}


def rehearse(
    settings: Settings,
    console: Console,
    *,
    to: str,
    workspace: int | None = None,
    out: Path | None = None,
) -> Rehearsal:
    """Compare the identity of everybody Heap may be told about with the one they would have.

    Both are written down. Who may not be told today is not moved, but somebody may collide with
    them.

    Args:
        to: the identifier that is to become primary (`customer_id` or `email`).
        workspace: only this workspace; default all.
        out: the CSV of old and new identities; default in `migrations/` of the state folder.

    Raises:
        UsageError: no such identifier.
        CounterfoilError: nothing is built, or it is the primary identifier already.
    """
    if to not in IDENTIFIERS:
        raise UsageError(f"Heap can be told about {' or '.join(IDENTIFIERS)}: give --to so.")
    with open_warehouse(settings) as tables:
        before = _primary(tables, workspace)
        if before == to:
            raise CounterfoilError(
                f"{to} is the primary identifier already: there is nothing to do."
            )
        rows = rehearsed(tables, to, workspace)
        heap_users = tables.require("int_identity__heap_users")
        asked = bool(tables.rows(f"select 1 from {heap_users} limit 1", reads=()))
    path = out or settings.home / "migrations" / f"{before}_to_{to}.csv"
    with private(settings.home):
        sheets.write(path, COLUMNS, rows, "a rehearsal of `counterfoil identity migrate`")
    mapped = [row for row in rows if row["outcome"] == "mapped"]
    movable = [row["count_movable"] if asked else 1 for row in mapped]
    digest = digest_of(rows)
    scope = "" if workspace is None else str(workspace)
    found = Rehearsal(
        from_identifier=before,
        to_identifier=to,
        count_mapped=len(mapped),
        count_unchanged=_count(rows, "unchanged"),
        count_orphaned=_count(rows, "orphaned"),
        count_collided=_count(rows, "collided"),
        count_doubled=sum(row["count_other_users"] > 0 for row in mapped),
        count_split=sum(
            0 < row["count_movable"] < row["count_heap_users"] and row["count_other_users"] > 0
            for row in mapped
        ),
        count_calls=sum(movable),
        months=max((-(-count // USERS_AN_IDENTITY_A_MONTH) for count in movable), default=0),
        has_heap_connect=asked,
        mapping=path,
        declaration=f"{scope},{before},{to},<decided on>,<owner>,{path.stem}:{digest}",
        way_back=(
            f"{scope},{to},{before},<decided on>,<owner>,{path.stem}:{digest} and the old roles in "
            "identity_rules.csv; what Heap was told meanwhile stays under the new identity"
        ),
    )
    _tell(console, found)
    console.record(identity_migrate=found.facts())
    return found


def rehearsed(tables: Tables, to: str, workspace: int | None) -> list[Record]:
    """What becomes of everybody whom Heap may be told of, were `to` the primary identifier."""
    return tables.ask(REHEARSAL, {"to": to, "workspace": workspace})


def digest_of(rows: list[Record]) -> str:
    """A rehearsal's name by content: the same people and identities, the same digest."""
    return hashlib.sha256(_text(rows).encode()).hexdigest()[:12]


def _primary(tables: Tables, workspace: int | None) -> str:
    rules = tables.require("int_identity__rules")
    rows = tables.rows(
        f"""
        select distinct identifier_type from {rules}
        where role = 'primary' and ($workspace is null or workspace_id = $workspace)
        order by identifier_type
        """,
        {"workspace": workspace},
        reads=(),
    )
    if not rows:
        raise CounterfoilError("No such workspace was built: check --workspace, or build first.")
    if len(rows) > 1:
        raise UsageError("Workspaces differ in their primary identifier: give --workspace.")
    return str(rows[0]["identifier_type"])


def _count(rows: list[Record], outcome: str) -> int:
    return sum(row["outcome"] == outcome for row in rows)


def _text(rows: list[Record]) -> str:
    """Every old and new identity as CSV."""
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def _tell(console: Console, found: Rehearsal) -> None:
    console.line(
        f"From {found.from_identifier} to {found.to_identifier}: {found.count_mapped:,} persons"
        f" mapped, {found.count_unchanged:,} unchanged, {found.count_orphaned:,} orphaned (no"
        f" {found.to_identifier}), {found.count_collided:,} collided (shared with somebody)."
    )
    if found.has_heap_connect:
        console.line(
            f"Heap would hold {found.count_doubled:,} of them twice, {found.count_split:,} of these"
            f" split over what can move and what cannot; {found.count_calls:,} identify calls,"
            f" {found.months} months at {USERS_AN_IDENTITY_A_MONTH} users an identity a month."
        )
    else:
        console.line(
            f"Heap was not asked (no Heap Connect): at least {found.count_calls:,} identify calls,"
            f" {found.months} months, and every person told before would be there twice."
        )
    console.line(f"Old and new identities: {found.mapping}")
    console.line(f"To go: add to identity_migrations.csv  {found.declaration}")
    console.line(
        "Change the roles in identity_rules.csv, and lock it: `counterfoil identity lock`."
    )
    console.line(f"To go back: {found.way_back}")
