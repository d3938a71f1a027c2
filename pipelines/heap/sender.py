"""Sends batches one after the other, each framed by intent and outcome, and narrows to bad rows."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import IO, Any

from pipelines.console import Advance
from pipelines.errors import CounterfoilError
from pipelines.heap import planfile
from pipelines.heap.client import (
    Accepted,
    HeapClient,
    Refused,
    TimeIsUp,
    Unanswered,
    Uncertain,
)
from pipelines.heap.ledger import Ledger
from pipelines.heap.limits import Clock, Limits
from pipelines.heap.otherwise import told_part
from pipelines.heap.outcome import PublishSummary
from pipelines.heap.payload import NumberText, read_row, value_hash
from pipelines.heap.plan import Plan
from pipelines.heap.planfile import Batch
from pipelines.heap.properties import user_key
from pipelines.heap.refusals import classify, scrub
from pipelines.heap.rows import DeadRow, EventRow, PropertyRow
from pipelines.heap.truth import Held

FAILURES_IN_A_ROW = 8
"""Calls without an answer, while narrowing, after which Heap counts as down."""

ATTEMPTS_WHILE_NARROWING = 2


@dataclass(frozen=True)
class Row:
    """A rendered row and what the ledger keeps of it."""

    line: bytes
    key: str
    identity: str
    event: str | None
    records: tuple[EventRow | PropertyRow, ...]


class Sender:
    """Sends batches one after the other, each framed by intent and outcome."""

    def __init__(
        self,
        plan: Plan,
        ledger: Ledger,
        target: str,
        client: HeapClient,
        *,
        clock: Clock,
        summary: PublishSummary,
        held: Held | None = None,
    ) -> None:
        self.held = held
        self.plan = plan
        self.ledger = ledger
        self.target = target
        self.client = client
        self.clock = clock
        self.summary = summary
        self.booleans = frozenset(plan.booleans)
        self.named: set[str] = set()
        self.failures = 0
        self.suspects: list[tuple[str, Row, Refused]] = []

    def run(
        self, lines: IO[bytes], limits: Limits, advance: Advance, deadline: float | None
    ) -> None:
        """Send what is left of the plan; the first call of a new target is a canary."""
        is_new = self.ledger.is_new_target(self.target)
        settled = self.ledger.settled(self.plan.plan_id)
        is_resumed = bool(
            self.ledger.value("select count(*) from batches where plan_id = ?", [self.plan.plan_id])
        )
        batches = planfile.batches(
            lines,
            limits,
            settled=settled,
            canary=limits.canary_rows if is_new else None,
        )
        for batch in batches:
            if deadline is not None and self.clock.monotonic() >= deadline:
                raise TimeIsUp
            rows = [self._read(batch.kind, line) for line in batch.rows]
            if is_resumed:
                rows, is_resumed = self._without_done(rows), False
            if self.held is not None:
                held = self.held([row.key for row in rows])
                rows = [row for row in rows if row.key not in held]
            if is_new and len(rows) > limits.canary_rows:  # the canary before it was held whole
                self._send_batch(batch, rows[: limits.canary_rows], settles=False)
                rows = rows[limits.canary_rows :]
            is_new = is_new and not rows
            self._send_batch(batch, rows)
            advance(len(batch.rows))

    def _send_batch(self, batch: Batch, rows: Sequence[Row], *, settles: bool = True) -> None:
        """Send rows of a batch and settle it, whatever narrowing that takes."""
        if rows and self._deliver(batch.kind, rows, settled=batch.end if settles else None):
            return
        if self.suspects:
            answer = self.suspects[0][2]
            raise CounterfoilError(
                f"Heap refuses every row (status {answer.status}: {scrub(answer.text, ())}): check "
                "HEAP_APP_ID and HEAP_REGION."
            )
        if settles:
            self.ledger.settle(self.plan.plan_id, batch.end)

    def _deliver(
        self,
        kind: str,
        rows: Sequence[Row],
        *,
        settled: tuple[int, int] | None = None,
        attempts: int | None = None,
    ) -> bool:
        """Get rows to Heap, narrowing to those it refuses. True when one call took them all."""
        counts = Counter(row.identity for row in rows)
        self.client.wait(counts)
        records = [record for row in rows for record in row.records]
        number = self.ledger.intend(
            self.plan.plan_id,
            self.target,
            kind,
            records,
            count_rows=len(rows),
            now=self.clock.now(),
        )
        outcome = self.client.send(kind, [row.line for row in rows], counts, attempts=attempts)
        if isinstance(outcome, Accepted):
            self._accepted(kind, number, rows, records, settled)
            return True
        if isinstance(outcome, Refused):
            self.ledger.refuse(number, outcome.status, self.clock.now())
            self._narrow_refused(kind, rows, outcome)
        elif isinstance(outcome, Uncertain):
            raise CounterfoilError(
                f"What answers at Heap's address is not Heap as documented ({outcome.text}): none "
                "of these rows counts as told. Check HEAP_URL and any proxy or sign-in page in "
                "between, then run `counterfoil publish` again; it says the same rows under the "
                "same keys."
            )
        else:
            self._narrow_unanswered(kind, rows, outcome, attempts)
        return False

    def _accepted(
        self,
        kind: str,
        number: int,
        rows: Sequence[Row],
        records: Sequence[EventRow | PropertyRow],
        settled: tuple[int, int] | None,
    ) -> None:
        now = self.clock.now()
        self.failures = 0
        self.ledger.acknowledge(number, records, settled=settled, now=now)
        for suspect_kind, row, refused in self.suspects:
            self._bury(suspect_kind, row, classify(refused.status, refused.text), refused)
        self.suspects.clear()
        if self.plan.is_replay:
            self.ledger.resolve(self.target, kind, [row.key for row in rows], now)
        if kind not in self.named:
            self.named.add(kind)
            mine = [name for name in self.plan.names if name[0] == kind]
            self.ledger.record_names(self.target, mine, self.plan.plan_id, now)
        if kind == "event":
            self.summary.count_events += len(rows)
        else:
            self.summary.count_users += len(rows)

    def _narrow_refused(self, kind: str, rows: Sequence[Row], refused: Refused) -> None:
        """By the row numbers Heap names, else by halving; a single refused row is a dead letter."""
        bad = {n for n in refused.indexes if n < len(rows)}
        if len(rows) == 1:
            if not bad and self.ledger.is_new_target(self.target):
                # before anything was ever accepted, this may speak about the app, not about the row
                self.suspects.append((kind, rows[0], refused))
            else:
                self._bury(kind, rows[0], classify(refused.status, refused.text), refused)
            return
        if bad and refused.status != 413:
            for n in sorted(bad):
                self._bury(kind, rows[n], classify(refused.status, refused.text), refused)
            good = [row for n, row in enumerate(rows) if n not in bad]
            if good:
                self._deliver(kind, good)
            return
        for half in _halves(rows):
            self._deliver(kind, half)

    def _narrow_unanswered(
        self, kind: str, rows: Sequence[Row], lost: Unanswered, attempts: int | None
    ) -> None:
        """A call that never got an answer: is Heap down, or does one row break it?"""
        self.failures += 1
        is_down = lost.status in (None, 429) or self.failures >= FAILURES_IN_A_ROW
        if is_down or (len(rows) == 1 and not self.summary.count_events + self.summary.count_users):
            raise CounterfoilError(
                f"Heap does not answer ({lost.text}): run `counterfoil publish` again later; it "
                "resumes where it stopped."
            )
        if len(rows) == 1:
            self._bury(kind, rows[0], "transport", lost)
            return
        for half in _halves(rows):
            self._deliver(kind, half, attempts=attempts or ATTEMPTS_WHILE_NARROWING)

    def _bury(self, kind: str, row: Row, reason: str, answer: Refused | Unanswered) -> None:
        values = [row.identity, *_texts(read_row(row.line))]
        self.ledger.bury(
            self.plan.plan_id,
            self.target,
            DeadRow(
                publish_key=row.key,
                kind=kind,
                event=row.event,
                reason=reason,
                message=scrub(answer.text, values),
                http_status=answer.status,
                identity_hash=self.ledger.identity_hash(row.identity),
                row_hash=hashlib.md5(row.line, usedforsecurity=False).hexdigest(),
            ),
            self.clock.now(),
        )
        self.summary.count_dead_letters += 1
        reasons = self.summary.dead_letter_reasons
        reasons[reason] = reasons.get(reason, 0) + 1

    def _read(self, kind: str, line: bytes) -> Row:
        found = read_row(line)
        identity = found["identity"]
        if kind == "event":
            key, event = found["idempotency_key"], found["event"]
            return Row(
                line, key, identity, event, (EventRow(key, identity, event, told_part(line)),)
            )
        records = tuple(
            PropertyRow(
                identity,
                name,
                value_hash(value, is_number=isinstance(value, NumberText)),
                value == "true" and name in self.booleans,
            )
            for name, value in found["properties"].items()
        )
        return Row(line, user_key(self.ledger, identity), identity, None, records)

    def _without_done(self, rows: Sequence[Row]) -> list[Row]:
        """After a kill in the middle of narrowing, the first batch may be partly through."""
        done = self.ledger.keys_done(self.plan.plan_id, [row.key for row in rows])
        return [row for row in rows if row.key not in done]


def _halves(rows: Sequence[Row]) -> tuple[Sequence[Row], Sequence[Row]]:
    middle = len(rows) // 2
    return rows[:middle], rows[middle:]


def _texts(found: Mapping[str, Any]) -> list[str]:
    properties = found.get("properties") or {}
    return [v for v in properties.values() if isinstance(v, str) and not isinstance(v, NumberText)]
