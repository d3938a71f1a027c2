"""Adds and removes batch by batch, each framed by intent and outcome, narrowed to bad ids."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field

from pipelines.audiences.client import NOT_FOUND, TrackClient
from pipelines.audiences.ledger import AudienceLedger, Change
from pipelines.audiences.limits import PushLimits
from pipelines.audiences.plan import PushBatch
from pipelines.calling.answers import Outcome, Refused, Unanswered
from pipelines.calling.clock import Clock
from pipelines.calling.narrowing import Narrowing
from pipelines.errors import CounterfoilError
from pipelines.heap.bounds import Bounds
from pipelines.heap.refusals import classify, scrub
from pipelines.heap.rows import DeadRow


@dataclass
class PushSummary:
    """What a push did, in people; `status` is pushed, nothing, or resumes (time box).

    `refused` are audiences whose segment takes nothing, with the reason; `held` counts rows of the
    plan that are no longer so, by audience.
    """

    plan_id: str
    status: str
    count_added: int = 0
    count_removed: int = 0
    count_gone: int = 0
    count_calls: int = 0
    count_dead_letters: int = 0
    count_uncertain: int = 0
    count_left: int = 0
    seconds: float = 0.0
    refused: dict[str, str] = field(default_factory=dict)
    held: dict[str, int] = field(default_factory=dict)

    @property
    def count_answered(self) -> int:
        """People whom Customer.io took or refused."""
        return self.count_added + self.count_removed + self.count_dead_letters


class SegmentRefused(CounterfoilError):
    """The segment takes nothing: it was deleted, or nobody can write it."""


class PushSender(Narrowing[Change]):
    """Sends a plan's batches; a segment that takes nothing stops its own audience only."""

    def __init__(
        self,
        plan_id: str,
        ledger: AudienceLedger,
        target: str,
        client: TrackClient,
        *,
        clock: Clock,
        bounds: Bounds,
        summary: PushSummary,
    ) -> None:
        super().__init__(client)
        self.plan_id = plan_id
        self.ledger = ledger
        self.target = target
        self.client = client
        self.clock = clock
        self.bounds = bounds
        self.summary = summary
        self.number = 0
        self.destination = ""

    def send(self, batch: PushBatch, changes: Sequence[Change], limits: PushLimits) -> None:
        """Send what is still so of a batch; the first call to a new segment is a canary."""
        if not changes:
            self.settle(batch.end)
            return
        first = changes[0]
        self.destination = first.destination_id
        most = limits.canary_ids
        try:
            if len(changes) > most and self.is_untried():
                self.send_rows(first.action, changes[:most], None)
                changes = changes[most:]
            self.send_rows(first.action, changes, batch.end)
        except SegmentRefused as refused:
            self.summary.refused[first.audience_key] = str(refused)
            self.suspects.clear()
            self.settle(batch.end)

    def intend(self, kind: str, rows: Sequence[Change]) -> int:
        """Before a call: whom it will be about."""
        self.number = self.ledger.intend(self.plan_id, self.target, rows, self.clock.now())
        return self.number

    def call(self, kind: str, rows: Sequence[Change], attempts: int | None) -> Outcome:
        """The call itself.

        Raises:
            SegmentRefused: the segment is not there.
        """
        first = rows[0]
        outcome = self.client.change(
            first.action,
            first.destination_id,
            first.identifier_type,
            [change.identifier for change in rows],
            attempts=attempts,
        )
        if isinstance(outcome, Refused) and outcome.status == NOT_FOUND:
            self.refused(self.number, outcome)
            raise SegmentRefused(f"segment {first.destination_id} is not there (status 404)")
        return outcome

    def accepted(
        self, kind: str, number: int, rows: Sequence[Change], settled: tuple[int, int] | None
    ) -> None:
        """Added people are ours, removed ones no longer."""
        self.ledger.acknowledge(number, self.target, settled, self.clock.now())
        self.has_accepted = True
        self._bury_suspects()
        keys = [self._key(change) for change in rows]
        self.ledger.ledger.resolve(self.target, _kind(kind), keys, self.clock.now())
        if kind == "add":
            self.summary.count_added += len(rows)
        else:
            self.summary.count_removed += len(rows)

    def refused(self, number: int, answer: Refused) -> None:
        """Nothing of the call was done."""
        self.ledger.refuse(number, answer.status, self.clock.now())

    def settle(self, settled: tuple[int, int]) -> None:
        """Move the plan's mark."""
        self.ledger.settle(self.plan_id, settled)

    def is_untried(self) -> bool:
        """Whether this segment never took anything."""
        return self.ledger.is_untried(self.target, self.destination)

    def message(self, answer: Refused | Unanswered, rows: Sequence[Change]) -> str:
        """What was answered, in words that cannot be anybody's."""
        if isinstance(answer, Unanswered):
            return answer.text
        target = self.client.target
        values = [target.site_id, target.api_key]
        values += [value for row in rows for value in (row.identifier, row.cio_id)]
        return scrub(answer.text, values)

    def refuses_all(self, answer: Refused, message: str) -> CounterfoilError:
        """It never took anything: this speaks about the segment."""
        return SegmentRefused(
            f"segment {self.destination} takes nothing (status {answer.status}: {message}): only "
            "manual segments can be written"
        )

    def bury(self, kind: str, row: Change, answer: Refused | Unanswered, message: str) -> None:
        """A dead letter, unless there are too many of them.

        Raises:
            CounterfoilError: more are refused than is borne.
        """
        is_refused = isinstance(answer, Refused)
        reason = classify(answer.status, answer.text) if is_refused else "transport"
        key = self._key(row)
        ledger = self.ledger.ledger
        letter = DeadRow(
            publish_key=key,
            kind=_kind(kind),
            event=row.audience_key,
            reason=reason,
            message=message,
            http_status=answer.status,
            identity_hash=ledger.identity_hash(row.identifier),
            row_hash=hashlib.sha256(key.encode()).hexdigest()[:32],
        )
        ledger.bury(self.plan_id, self.target, letter, self.clock.now())
        self.summary.count_dead_letters += 1
        refused, answered = self.summary.count_dead_letters, self.summary.count_answered
        if self.bounds.are_passed(refused, answered):
            raise CounterfoilError(
                f"Customer.io refuses too much: {refused:,} of the {answered:,} people that it "
                f"answered for in this run, where {self.bounds.refused_percent} in a hundred are "
                "borne. See `counterfoil deadletters list`, mend the cause, then run `counterfoil "
                "audiences push` again, or raise heap_refused_percent in dbt_project.yml."
            )

    def _key(self, change: Change) -> str:
        """As sql/changes.sql makes it."""
        parts = (
            self.ledger.ledger.salt, change.audience_key, change.destination_id, change.action,
            str(change.workspace_id), change.cio_id,
        )  # fmt: skip
        return hashlib.sha256(":".join(parts).encode()).hexdigest()


def _kind(action: str) -> str:
    return f"audience {action}"
