"""What Customer.io was told: the audience tables of the ledger.

Two rows frame every call here too: the intent before it, the outcome after it. Whom an open intent
would add may have been added: they count as ours until they are removed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pipelines.heap.ledger import Ledger
from pipelines.heap.planfile import FileDigest

TOLD = {"add": "added", "remove": "removed"}


@dataclass(frozen=True)
class Change:
    """One id that is added to a segment or removed from it.

    `cio_id` is the profile that we added; what it was merged into may go by the identifier now.
    """

    audience_key: str
    destination_id: str
    action: str
    workspace_id: int
    cio_id: str
    identifier_type: str
    identifier: str
    reason: str

    @property
    def identity(self) -> str:
        """Calls are what Customer.io counts, whomever they are about."""
        return "call"


@dataclass(frozen=True)
class FiledPush:
    """A plan as the ledger recorded it."""

    target: str | None
    status: str
    digest: FileDigest
    created_at: datetime
    ledger_version: int


class AudienceLedger:
    """The audience tables of an open ledger. What writes has committed when it returns."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.db = ledger.db

    # -- reading ------------------------------------------------------------------------------

    def last_target(self) -> str | None:
        """The target that was last pushed to, so that a plan needs no credentials."""
        found = self.ledger.value(
            "select target from audience_batches order by batch_id desc limit 1"
        )
        return str(found) if found else None

    def filed(self, plan_id: str) -> FiledPush | None:
        """What was recorded of a plan; None when it was not made here."""
        found = self.ledger.rows(
            "select target, status, file_sha256, file_bytes, created_at, ledger_version "
            "from audience_plans where plan_id = ?",
            [plan_id],
        )
        if not found:
            return None
        target, status, sha256, count_bytes, created_at, version = found[0]
        return FiledPush(target, status, FileDigest(sha256, count_bytes), created_at, version)

    def settled(self, plan_id: str) -> tuple[int, int]:
        """How far a plan got: rows and bytes of rows that need no more work."""
        found = self.ledger.rows(
            "select lines_settled, bytes_settled from audience_plans where plan_id = ?", [plan_id]
        )
        return (int(found[0][0]), int(found[0][1])) if found else (0, 0)

    def moved_on(self, plan_id: str, filed: FiledPush) -> bool:
        """Whether another plan was begun since, or somebody was erased."""
        return bool(
            self.ledger.value(
                "select count(*) from audience_plans where plan_id <> ? and started_at > ?",
                [plan_id, filed.created_at],
            )
            or self.ledger.value(
                "select count(*) from versions where version > ? and plan_id is null",
                [filed.ledger_version],
            )
        )

    def is_untried(self, target: str, destination_id: str) -> bool:
        """Whether this segment never took anything: a refusal may then speak about it."""
        return not self.ledger.value(
            "select count(*) from audience_batches where target = ? and destination_id = ? "
            "and status = 'acknowledged'",
            [target, destination_id],
        )

    # -- writing ------------------------------------------------------------------------------

    def record_plan(self, plan: dict[str, object]) -> None:
        """File a plan that was written (columns of `audience_plans` by name)."""
        marks = ", ".join("?" for _ in plan)
        with self.ledger.transaction():
            self.db.execute(
                f"insert into audience_plans ({', '.join(plan)}) values ({marks})",
                list(plan.values()),
            )

    def begin(self, plan_id: str, target: str, now: datetime) -> None:
        """Before a plan's first call."""
        self.db.execute(
            "update audience_plans set status = 'sending', target = ?, "
            "started_at = coalesce(started_at, ?) where plan_id = ?",
            [target, now, plan_id],
        )

    def intend(self, plan_id: str, target: str, changes: Sequence[Change], now: datetime) -> int:
        """Before a call: what it will say. Returns the batch's number."""
        first = changes[0]
        batch = 1 + int(
            self.ledger.value("select coalesce(max(batch_id), 0) from audience_batches")
        )
        with self.ledger.transaction():
            self.db.execute(
                "insert into audience_batches values (?, ?, ?, ?, ?, ?, ?, 'intended', null, ?, "
                "null)",
                [
                    batch, plan_id, target, first.audience_key, first.destination_id, first.action,
                    len(changes), now,
                ],
            )  # fmt: skip
            self.db.execute(
                "insert into audience_intents select ?, ?, ?, ?, ?, unnest(?), unnest(?), "
                "unnest(?), unnest(?), ?",
                [
                    batch, target, first.audience_key, first.destination_id, first.action,
                    [change.workspace_id for change in changes],
                    [change.cio_id for change in changes],
                    [change.identifier_type for change in changes],
                    [change.identifier for change in changes],
                    plan_id,
                ],
            )  # fmt: skip
        return batch

    def acknowledge(
        self, batch: int, target: str, settled: tuple[int, int] | None, now: datetime
    ) -> None:
        """After a call that was taken: what is ours now, and the intent is no more."""
        with self.ledger.transaction():
            same = (
                "target = $target and (audience_key, destination_id, workspace_id, cio_id) in "
                "(select audience_key, destination_id, workspace_id, cio_id "
                "from audience_intents where batch_id = $batch)"
            )
            values = {"target": target, "batch": batch}
            self.db.execute(f"delete from audience_state where {same}", values)
            self.db.execute(
                """
                insert into audience_state
                select
                    audience_key, identifier,
                    case action when 'add' then 'added' else 'removed' end,
                    $now, target, destination_id, workspace_id, cio_id, identifier_type, plan_id
                from audience_intents where batch_id = $batch
                """,
                {"batch": batch, "now": now},
            )
            # whom we took out is there by nobody: an older look into the segment says so no more
            self.db.execute(
                "delete from audience_memberships where target = $target and "
                "(destination_id, cio_id) in (select destination_id, cio_id "
                "from audience_intents where batch_id = $batch and action = 'remove')",
                values,
            )
            # those for the same people that a kill left open are closed with it
            self.db.execute(f"delete from audience_intents where {same}", values)
            self._close(batch, "acknowledged", 200, settled, now)

    def refuse(self, batch: int, http_status: int | None, now: datetime) -> None:
        """After a call that was refused whole: nothing of it was done."""
        with self.ledger.transaction():
            self.db.execute("delete from audience_intents where batch_id = ?", [batch])
            self._close(batch, "refused", http_status, None, now)

    def settle(self, plan_id: str, settled: tuple[int, int]) -> None:
        """Move a plan's mark: everything before it needs no more work."""
        self.db.execute(
            "update audience_plans set lines_settled = ?, bytes_settled = ? where plan_id = ?",
            [*settled, plan_id],
        )

    def finish(self, plan_id: str, now: datetime) -> None:
        """The whole plan is through."""
        self.db.execute(
            "update audience_plans set status = 'pushed', finished_at = ? where plan_id = ?",
            [now, plan_id],
        )

    def _close(
        self,
        batch: int,
        status: str,
        http_status: int | None,
        settled: tuple[int, int] | None,
        now: datetime,
    ) -> None:
        self.db.execute(
            "update audience_batches set status = ?, http_status = ?, finished_at = ? "
            "where batch_id = ?",
            [status, http_status, now, batch],
        )
        if settled is not None:
            self.db.execute(
                "update audience_plans set lines_settled = ?, bytes_settled = ? where plan_id = "
                "(select plan_id from audience_batches where batch_id = ?)",
                [*settled, batch],
            )
