"""Sends batches one after the other, each framed by intent and outcome, and narrows to bad rows."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import IO, Any

from pipelines.calling.answers import Outcome, Refused, TimeIsUp, Unanswered
from pipelines.calling.narrowing import Narrowing, Piece, halves
from pipelines.console import Advance
from pipelines.errors import CounterfoilError
from pipelines.heap import planfile
from pipelines.heap.calls import Calls
from pipelines.heap.client import HeapClient
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

__all__ = ["Piece", "Row", "Sender", "halves"]


@dataclass(frozen=True)
class Row:
    """A rendered row and what the ledger keeps of it."""

    line: bytes
    key: str
    identity: str
    event: str | None
    records: tuple[EventRow | PropertyRow, ...]


class Sender(Narrowing[Row]):
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
        super().__init__(client)
        self.held = held
        self.plan = plan
        self.ledger = ledger
        self.calls = Calls(ledger)
        self.target = target
        self.client = client
        self.clock = clock
        self.summary = summary
        self.booleans = frozenset(plan.booleans)
        self.named: set[str] = set()

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
        self.send_rows(batch.kind, rows, batch.end if settles else None)

    def intend(self, kind: str, rows: Sequence[Row]) -> int:
        """Before a call: what it will say."""
        return self.calls.intend(
            self.plan.plan_id,
            self.target,
            kind,
            [record for row in rows for record in row.records],
            count_rows=len(rows),
            now=self.clock.now(),
        )

    def call(self, kind: str, rows: Sequence[Row], attempts: int | None) -> Outcome:
        """The call itself."""
        counts = Counter(row.identity for row in rows)
        return self.client.send(kind, [row.line for row in rows], counts, attempts=attempts)

    def accepted(
        self, kind: str, number: int, rows: Sequence[Row], settled: tuple[int, int] | None
    ) -> None:
        """Receipts, or changed properties; what stood under suspicion is buried."""
        now = self.clock.now()
        records = [record for row in rows for record in row.records]
        self.calls.acknowledge(number, records, settled=settled, now=now)
        self.has_accepted = True
        self._bury_suspects()
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

    def refused(self, number: int, answer: Refused) -> None:
        """Nothing of the call was stored."""
        self.calls.refuse(number, answer.status, self.clock.now())

    def settle(self, settled: tuple[int, int]) -> None:
        """Move the plan's mark."""
        self.ledger.settle(self.plan.plan_id, settled)

    def is_untried(self) -> bool:
        """Whether this Heap never acknowledged anything."""
        return self.ledger.is_new_target(self.target)

    def message(self, answer: Refused | Unanswered, rows: Sequence[Row]) -> str:
        """What was answered to a call of these rows, fit to be kept and shown."""
        if isinstance(answer, Unanswered):  # in words of ours
            return answer.text
        values, names = [self.client.target.app_id], set[str]()
        for row in rows:
            properties = read_row(row.line).get("properties") or {}
            names |= properties.keys()
            values += [row.identity, row.key, *_texts(properties)]
        return scrub(answer.text, values, names)

    def bury(self, kind: str, row: Row, answer: Refused | Unanswered, message: str) -> None:
        """A dead letter, unless there are too many of them."""
        is_refused = isinstance(answer, Refused)
        reason = classify(answer.status, answer.text) if is_refused else "transport"
        self.ledger.bury(
            self.plan.plan_id,
            self.target,
            DeadRow(
                publish_key=row.key,
                kind=kind,
                event=row.event,
                reason=reason,
                message=message,
                http_status=answer.status,
                identity_hash=self.ledger.identity_hash(row.identity),
                row_hash=hashlib.md5(row.line, usedforsecurity=False).hexdigest(),
            ),
            self.clock.now(),
        )
        self.summary.count_dead_letters += 1
        reasons = self.summary.dead_letter_reasons
        reasons[reason] = reasons.get(reason, 0) + 1
        self._stop_when_too_many_are_refused()

    def _stop_when_too_many_are_refused(self) -> None:
        """Not for dead letters that are said again: of these many are refused again."""
        refused = self.summary.count_dead_letters
        answered = refused + self.summary.count_events + self.summary.count_users
        if not self.plan.is_replay and self.plan.bounds.are_passed(refused, answered):
            raise CounterfoilError(
                f"Heap refuses too much: {refused:,} of the {answered:,} rows that it answered in "
                f"this run, where {self.plan.bounds.refused_percent} in a hundred are borne. See "
                "`counterfoil deadletters list`, mend the cause, then run `counterfoil publish` "
                "again, or raise heap_refused_percent in dbt_project.yml."
            )

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

    def refuses_all(self, answer: Refused, message: str) -> CounterfoilError:
        """Nothing ever went through: this speaks about the app."""
        return CounterfoilError(
            f"Heap refuses every row (status {answer.status}: {message}): check HEAP_APP_ID "
            "and HEAP_REGION."
        )

    def _without_done(self, rows: Sequence[Row]) -> list[Row]:
        """After a kill in the middle of narrowing, the first batch may be partly through."""
        done = self.ledger.keys_done(self.plan.plan_id, [row.key for row in rows])
        return [row for row in rows if row.key not in done]


def _texts(properties: Mapping[str, Any]) -> list[str]:
    return [v for v in properties.values() if isinstance(v, str) and not isinstance(v, NumberText)]
