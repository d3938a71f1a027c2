"""What each call to Heap said: the tables `batches`, `intents`, `receipts`, `property_changes`.

Two rows frame every call: the intent before it and the outcome after it, each one durable commit.
What an open intent holds is *uncertain*: Heap may or may not have it, so it is said again, under
the same identity.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from pipelines.heap.ledger import Ledger
from pipelines.heap.rows import EventRow, PropertyRow


class Calls:
    """The calls of an open ledger. What writes has committed when it returns."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.db = ledger.db

    def intend(
        self,
        plan_id: str,
        target: str,
        kind: str,
        rows: Sequence[EventRow | PropertyRow],
        *,
        count_rows: int,
        now: datetime,
    ) -> int:
        """Before a call: what it will say. Returns the batch's number."""
        batch = 1 + int(self.ledger.value("select coalesce(max(batch_id), 0) from batches"))
        events = [row for row in rows if isinstance(row, EventRow)]
        properties = [row for row in rows if isinstance(row, PropertyRow)]
        with self.ledger.transaction():
            self.db.execute(
                "insert into batches values (?, ?, ?, ?, ?, 'intended', null, ?, null)",
                [batch, plan_id, target, kind, count_rows, now],
            )
            if events:
                self.db.execute(
                    "insert into intents select ?, ?, ?, unnest(?), unnest(?), null, null, false",
                    [
                        batch, target, kind,
                        [r.publish_key for r in events],
                        [r.identity for r in events],
                    ],
                )  # fmt: skip
            if properties:
                self.db.execute(
                    "insert into intents "
                    "select ?, ?, ?, null, unnest(?), unnest(?), unnest(?), unnest(?)",
                    [
                        batch,
                        target,
                        kind,
                        [r.identity for r in properties],
                        [r.name for r in properties],
                        [r.value_hash for r in properties],
                        [r.is_true for r in properties],
                    ],
                )
        return batch

    def acknowledge(
        self,
        batch: int,
        rows: Sequence[EventRow | PropertyRow],
        *,
        settled: tuple[int, int] | None,
        now: datetime,
    ) -> None:
        """After an accepted call: receipts or property changes, and the intent is no more.

        `settled` moves the plan's mark (rows, bytes) when the whole batch is through.
        """
        plan_id, target, kind = self.ledger.rows(
            "select plan_id, target, kind from batches where batch_id = ?", [batch]
        )[0]
        events = [row for row in rows if isinstance(row, EventRow)]
        with self.ledger.transaction():
            if events:
                self.db.execute(
                    "insert into receipts "
                    "select unnest(?), unnest(?), ?, ?, ?, unnest(?), ?, ?, unnest(?)",
                    [
                        [r.publish_key for r in events],
                        [r.identity for r in events],
                        kind, plan_id, now,
                        [r.event for r in events],
                        target, batch,
                        [r.told for r in events],
                    ],
                )  # fmt: skip
                self._forget_intents("publish_key", target, batch)
            else:
                self.db.execute(
                    """
                    insert into property_changes
                    select heap_identity, property, value_hash, ?, is_true, ?, target, batch_id
                    from intents where batch_id = ?
                    """,
                    [now, plan_id, batch],
                )
                self._forget_intents("heap_identity, property", target, batch)
            self._close(batch, "acknowledged", 200, now)
            if settled is not None:
                self.ledger.settle(plan_id, settled)

    def refuse(self, batch: int, http_status: int | None, now: datetime) -> None:
        """After a call that Heap refused whole: nothing of it was stored under a receipt."""
        with self.ledger.transaction():
            self.db.execute("delete from intents where batch_id = ?", [batch])
            self._close(batch, "refused", http_status, now)

    def _close(self, batch: int, status: str, http_status: int | None, now: datetime) -> None:
        self.db.execute(
            "update batches set status = ?, http_status = ?, finished_at = ? where batch_id = ?",
            [status, http_status, now, batch],
        )

    def _forget_intents(self, by: str, target: str, batch: int) -> None:
        """Close this call's intents, and those for the same rows that a kill left open."""
        self.db.execute(
            f"delete from intents where target = ? and ({by}) in "
            f"(select {by} from intents where batch_id = ?)",
            [target, batch],
        )
