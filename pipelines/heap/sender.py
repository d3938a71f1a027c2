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

TOO_LARGE = 413
"""Speaks of the call as a whole, whatever rows its text may name."""


@dataclass(frozen=True)
class Row:
    """A rendered row and what the ledger keeps of it."""

    line: bytes
    key: str
    identity: str
    event: str | None
    records: tuple[EventRow | PropertyRow, ...]


@dataclass(frozen=True)
class Piece:
    """Rows of one call, and how often it is tried (None: as often as any)."""

    rows: Sequence[Row]
    attempts: int | None = None


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
        self.has_accepted = False  # anything of the batch under way
        self.suspects: list[tuple[str, Row, Refused | Unanswered]] = []

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
        self.has_accepted = False
        if rows and self._deliver(batch.kind, rows, settled=batch.end if settles else None):
            return
        if self.suspects and not self.has_accepted:
            _, row, answer = self.suspects[0]
            raise self._no_row_goes(answer, [row])
        self._bury_suspects()
        if settles:
            self.ledger.settle(self.plan.plan_id, batch.end)

    def _deliver(self, kind: str, rows: Sequence[Row], *, settled: tuple[int, int] | None) -> bool:
        """Get rows to Heap, narrowing to those it refuses. True when one call took them all."""
        whole = Piece(rows)
        waiting = [whole]
        while waiting:
            piece = waiting.pop()
            mark = settled if piece is whole else None
            if self._say(kind, piece, waiting, mark) and piece is whole:
                return True
        return False

    def _say(
        self,
        kind: str,
        piece: Piece,
        waiting: list[Piece],
        settled: tuple[int, int] | None,
    ) -> bool:
        """One call, framed by intent and outcome. True when Heap took it; else what is left waits.

        Raises:
            CounterfoilError: Heap is down, is not Heap, or refuses more than is borne.
            TimeIsUp: the time box ended.
        """
        rows = piece.rows
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
        lines = [row.line for row in rows]
        outcome = self.client.send(kind, lines, counts, attempts=piece.attempts)
        if isinstance(outcome, Accepted):
            self._accepted(kind, number, rows, records, settled)
            return True
        if isinstance(outcome, Uncertain):
            raise not_heap(outcome)
        if isinstance(outcome, Refused):
            self.ledger.refuse(number, outcome.status, self.clock.now())
            waiting.extend(self._narrow_refused(kind, piece, outcome))
        else:
            waiting.extend(self._narrow_unanswered(kind, piece, outcome))
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

    def _narrow_refused(self, kind: str, piece: Piece, refused: Refused) -> list[Piece]:
        """Without the rows that Heap names, in halves; a single refused row is a dead letter.

        In halves also where Heap names rows: it may name one of many at a time, and each further
        call with all the others would cost as much as the first.
        """
        rows = piece.rows
        bad = {n for n in refused.indexes if n < len(rows)}
        if len(rows) == 1:
            if not bad and self.ledger.is_new_target(self.target):
                # before anything was ever accepted, this may speak about the app, not about the row
                self.suspects.append((kind, rows[0], refused))
            else:
                self._bury(kind, rows[0], refused, self._message(refused, rows))
            return []
        if refused.status == TOO_LARGE:
            bad = set()
        message = self._message(refused, rows)
        for n in sorted(bad):
            self._bury(kind, rows[n], refused, message)
        return halves([row for n, row in enumerate(rows) if n not in bad], piece.attempts)

    def _narrow_unanswered(self, kind: str, piece: Piece, lost: Unanswered) -> list[Piece]:
        """A call that never got an answer: is Heap down, or does one row break it?"""
        self.failures += 1
        rows = piece.rows
        if lost.status in (None, 429) or self.failures >= FAILURES_IN_A_ROW:
            raise self._no_row_goes(lost, rows)
        if len(rows) == 1:
            # while none of its neighbours goes through, this speaks about Heap, not about the row
            self.suspects.append((kind, rows[0], lost))
            return []
        return halves(rows, piece.attempts or ATTEMPTS_WHILE_NARROWING)

    def _bury_suspects(self) -> None:
        """Others went through, so it was about these rows."""
        suspects, self.suspects = self.suspects, []
        for kind, row, answer in suspects:
            self._bury(kind, row, answer, self._message(answer, [row]))

    def _message(self, answer: Refused | Unanswered, rows: Sequence[Row]) -> str:
        """What was answered to a call of these rows, fit to be kept and shown."""
        if isinstance(answer, Unanswered):  # in words of ours
            return answer.text
        values, names = [self.client.target.app_id], set[str]()
        for row in rows:
            properties = read_row(row.line).get("properties") or {}
            names |= properties.keys()
            values += [row.identity, row.key, *_texts(properties)]
        return scrub(answer.text, values, names)

    def _bury(self, kind: str, row: Row, answer: Refused | Unanswered, message: str) -> None:
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

    def _no_row_goes(self, answer: Refused | Unanswered, rows: Sequence[Row]) -> CounterfoilError:
        message = self._message(answer, rows)
        if isinstance(answer, Refused):
            return CounterfoilError(
                f"Heap refuses every row (status {answer.status}: {message}): check HEAP_APP_ID "
                "and HEAP_REGION."
            )
        return CounterfoilError(
            f"Heap does not answer ({message}): run `counterfoil publish` again later; it "
            "resumes where it stopped."
        )

    def _without_done(self, rows: Sequence[Row]) -> list[Row]:
        """After a kill in the middle of narrowing, the first batch may be partly through."""
        done = self.ledger.keys_done(self.plan.plan_id, [row.key for row in rows])
        return [row for row in rows if row.key not in done]


def not_heap(answer: Uncertain) -> CounterfoilError:
    """Nothing can be told to whoever answers like this."""
    return CounterfoilError(
        f"What answers at Heap's address is not Heap as documented ({answer.text}): none "
        "of these rows counts as told. Check HEAP_URL and any proxy or sign-in page in "
        "between, then run `counterfoil publish` again; it says the same rows under the "
        "same keys."
    )


def halves(rows: Sequence[Row], attempts: int | None) -> list[Piece]:
    """The rows in two pieces, the later one first, as a stack takes them; no piece is empty."""
    middle = len(rows) // 2
    return [Piece(half, attempts) for half in (rows[middle:], rows[:middle]) if half]


def _texts(properties: Mapping[str, Any]) -> list[str]:
    return [v for v in properties.values() if isinstance(v, str) and not isinstance(v, NumberText)]
