"""Telling Heap: exactly the plan. Intent before each call, outcome after, both durable."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any

from pipelines import locks
from pipelines.built.manifest import require_manifest
from pipelines.console import Advance, Console
from pipelines.errors import CounterfoilError
from pipelines.heap import gates, planfile
from pipelines.heap.client import (
    Accepted,
    HeapClient,
    Refused,
    TimeIsUp,
    Unanswered,
    Uncertain,
)
from pipelines.heap.deadletters import classify, scrub
from pipelines.heap.gates import Declared, read_declared
from pipelines.heap.ledger import DeadRow, EventRow, Ledger, PropertyRow
from pipelines.heap.limits import Clock, Limits
from pipelines.heap.marts import declared_models
from pipelines.heap.payload import NumberText, read_row, value_hash
from pipelines.heap.plan import Plan, compute, from_header, user_key
from pipelines.heap.planfile import Batch, FileDigest
from pipelines.heap.target import Target, require_target
from pipelines.heap.warehouse import attached
from pipelines.settings import Settings

FAILURES_IN_A_ROW = 8
"""Calls without an answer, while narrowing, after which Heap counts as down."""

ATTEMPTS_WHILE_NARROWING = 2

ROWS_PER_CHECK = 10_000
"""Identities of a plan that are looked up at once."""


@dataclass
class PublishSummary:
    """What a publish did, in rows; `status` is published, nothing, or resumes (time box).

    `count_uncertain` counts answers that were not Heap's and proved nothing.
    """

    plan_id: str
    status: str
    count_events: int = 0
    count_users: int = 0
    count_calls: int = 0
    count_dead_letters: int = 0
    count_refused: int = 0
    count_left: int = 0
    count_uncertain: int = 0
    seconds: float = 0.0
    dead_letter_reasons: dict[str, int] = field(default_factory=dict)

    @property
    def has_new_dead_letters(self) -> bool:
        """Whether the command exits 1."""
        return self.count_dead_letters > 0


@dataclass(frozen=True)
class Row:
    """A rendered row and what the ledger keeps of it."""

    line: bytes
    key: str
    identity: str
    event: str | None
    records: tuple[EventRow | PropertyRow, ...]


def publish(
    settings: Settings,
    console: Console,
    plan_file: Path | None = None,
    max_minutes: float | None = None,
    *,
    limits: Limits | None = None,
    clock: Clock | None = None,
    ignore_cadence: bool = False,
) -> PublishSummary:
    """Send a plan (the given one or a fresh one) and record what Heap acknowledged.

    Args:
        settings: home, app id, region, host.
        console: progress and summary lines.
        plan_file: a file that `plan` wrote, as the ledger recorded it; sent byte for byte or not at
            all.
        max_minutes: time box; what is left is sent by the next run.
        limits: Heap's limits; raised for a local Heap.
        clock: the publisher's clock.
        ignore_cadence: also send models that are not due yet.

    Raises:
        UsageError: app id or region is missing or malformed.
        CounterfoilError: a gate is closed or cannot be checked, the plan is not the one that was
            made, the ledger moved on, or Heap cannot be reached.
    """
    clock = clock or Clock()
    limits = limits or Limits()
    target = require_target(settings)
    with ExitStack() as stack:
        stack.enter_context(locks.hold(settings.home, "publisher", "publish"))
        ledger = stack.enter_context(Ledger(settings))
        declared = read_declared()
        lines: IO[bytes] | None = None
        if plan_file is None:
            plan = compute(
                settings, ledger, console, limits=limits, clock=clock,
                ignore_cadence=ignore_cadence, declared=declared,
            )  # fmt: skip
        else:
            lines = stack.enter_context(_held(plan_file, ledger))
            plan = open_plan(plan_file, lines, ledger, target)
            _recheck(plan, lines, ledger, settings, declared, clock)
        return send(
            plan, ledger, target, console,
            limits=limits, clock=clock, max_minutes=max_minutes, lines=lines,
        )  # fmt: skip


@contextmanager
def _held(path: Path, ledger: Ledger) -> Iterator[IO[bytes]]:
    """The plan's bytes as the ledger recorded them, in a copy that nobody can change.

    Raises:
        CounterfoilError: no plan of ours, one that the ledger does not know, or a changed one.
    """
    with planfile.opened(path) as lines:
        filed = ledger.filed(planfile.read_header(lines, path.name)["plan_id"])
        if filed is None:
            raise CounterfoilError(
                f"The ledger does not know the plan {path.name}: it was made in another state "
                "folder or by another ledger, so make a new one with `counterfoil plan`."
            )
        if filed.file_sha256 is None or filed.file_bytes is None:
            raise CounterfoilError(
                f"The plan {path.name} was made by an older version, which recorded too little to "
                "check it: make a new one with `counterfoil plan`."
            )
        expected = FileDigest(filed.file_sha256, filed.file_bytes)
        with planfile.held(lines, path.name, expected, ledger.path.parent / "tmp") as copy:
            yield copy


def open_plan(path: Path, lines: IO[bytes], ledger: Ledger, target: Target) -> Plan:
    """Read a plan that is what the ledger recorded, and make sure that it may still be sent.

    Raises:
        CounterfoilError: made for, or sent to, another app, or overtaken by the ledger.
    """
    plan = from_header(planfile.read_header(lines, path.name), path)
    key = ledger.target_key(target)
    filed = ledger.filed(plan.plan_id)
    told = filed.target if filed else plan.target
    if told not in (None, key) or (told is None and not ledger.is_new_target(key)):
        raise CounterfoilError(
            f"The plan was made for another Heap environment than {target.label}: make a new one "
            "with `counterfoil plan`."
        )
    if ledger.moved_on(plan.ledger_version, plan.plan_id):
        raise CounterfoilError(
            "The ledger has moved on since this plan was made: make a new one with "
            "`counterfoil plan`."
        )
    return plan


def send(
    plan: Plan,
    ledger: Ledger,
    target: Target,
    console: Console,
    *,
    limits: Limits,
    clock: Clock,
    max_minutes: float | None = None,
    lines: IO[bytes] | None = None,
) -> PublishSummary:
    """Send a plan that was checked; see `publish`. `lines` is the plan, when it is held already."""
    key = ledger.target_key(target)
    summary = PublishSummary(plan.plan_id, "nothing", count_refused=plan.count_refused)
    if plan.closed_gates:
        raise CounterfoilError(" ".join(gate.sentence for gate in plan.closed_gates))
    if plan.is_empty or plan.path is None:
        console.line("nothing new for Heap: no call was made")
        if plan.models_due:
            ledger.finish_sending(plan.plan_id, key, plan.models_due, plan.as_of, clock.now())
        console.record(publish=asdict(summary))
        return summary
    filed = ledger.filed(plan.plan_id)
    if filed is not None and filed.status == "published":
        console.line("this plan was published already: no call was made")
        console.record(publish=asdict(summary))
        return summary
    started = clock.monotonic()
    deadline = None if max_minutes is None else started + max_minutes * 60
    left = plan.count_events + plan.count_users - ledger.settled(plan.plan_id)[0]
    with (
        nullcontext(lines) if lines is not None else _held(plan.path, ledger) as rows,
        HeapClient(target, limits, clock, deadline=deadline, on_wait=console.line) as client,
        console.progress(f"publishing to {target.label}", left) as advance,
    ):
        ledger.begin_sending(plan.plan_id, key, target, clock.now())
        sender = _Sender(plan, ledger, key, client, clock=clock, summary=summary)
        try:
            sender.run(rows, limits, advance, deadline)
            summary.status = "published"
            ledger.finish_sending(plan.plan_id, key, plan.models_due, plan.as_of, clock.now())
        except TimeIsUp:
            summary.status = "resumes"
            summary.count_left = (
                plan.count_events + plan.count_users - ledger.settled(plan.plan_id)[0]
            )
        summary.count_calls = client.count_calls
        summary.count_uncertain = client.count_uncertain
    summary.seconds = clock.monotonic() - started
    for line in publish_lines(summary, target):
        console.line(line)
    console.record(publish=asdict(summary))
    return summary


def publish_lines(summary: PublishSummary, target: Target) -> list[str]:
    """A publish in lines of text, fit for a log."""
    lines = [
        f"publish {summary.plan_id} to {target.label}: {summary.count_events:,} events and "
        f"{summary.count_users:,} identities' properties acknowledged in {summary.count_calls:,} "
        f"calls, {summary.seconds:,.1f} s"
    ]
    if summary.status == "resumes":
        lines.append(f"  time box ended: {summary.count_left:,} rows are left for the next run")
    if summary.count_uncertain:
        lines.append(
            f"  {summary.count_uncertain:,} answers were not Heap's and count for nothing: check "
            "HEAP_URL and any proxy or sign-in page in between"
        )
    if summary.count_dead_letters:
        reasons = ", ".join(f"{r}: {n:,}" for r, n in summary.dead_letter_reasons.items())
        lines.append(
            f"  Heap refused {summary.count_dead_letters:,} rows ({reasons}): see "
            "`counterfoil deadletters list`"
        )
    return lines


class _Sender:
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
    ) -> None:
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
            self._send_batch(batch, rows)
            advance(len(batch.rows))

    def _send_batch(self, batch: Batch, rows: Sequence[Row]) -> None:
        """Send a batch and settle it, whatever narrowing that takes."""
        if rows and self._deliver(batch.kind, rows, settled=batch.end):
            return
        if self.suspects:
            answer = self.suspects[0][2]
            raise CounterfoilError(
                f"Heap refuses every row (status {answer.status}: {scrub(answer.text, ())}): check "
                "HEAP_APP_ID and HEAP_REGION."
            )
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
            return Row(line, key, identity, event, (EventRow(key, identity, event),))
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


def _recheck(
    plan: Plan,
    lines: IO[bytes],
    ledger: Ledger,
    settings: Settings,
    declared: Declared,
    clock: Clock,
) -> None:
    """The gates again, for a plan that was made earlier: the warehouse may know better by now.

    Raises:
        CounterfoilError: there is no whole warehouse to check them against, or the plan holds
            somebody who may no longer be told.
    """
    with attached(ledger, settings) as warehouse:
        models = declared_models(require_manifest(settings, warehouse))
        fresh = [
            gates.budget_gate(ledger, plan.target, plan.count_events, declared, clock.now()),
            gates.match_rate_gate(warehouse),
            gates.segment_gate(warehouse, models, warehouse.as_of),
        ]
        gates.load_forbidden(ledger, warehouse)
        told = [warehouse.mart(model)[0] for model in models]
        told += [warehouse.require("dim_persons", "heap_identity"), "receipts", "property_state"]
        _refuse_strangers(lines, ledger, told)
    # the plan may have been made before the app was configured; require_target has checked it by
    # now
    names = {"app and region", *(gate.name for gate in fresh)}
    plan.gates = [gate for gate in plan.gates if gate.name not in names] + fresh


def _refuse_strangers(lines: IO[bytes], ledger: Ledger, told: Sequence[str]) -> None:
    """Every row is about somebody who may be told, and whom a relation of `told` knows."""
    ledger.db.execute("create or replace temp table plan_identities (identity varchar)")
    for found in planfile.identities(lines, ROWS_PER_CHECK):
        ledger.db.execute("insert into plan_identities select unnest(?::varchar[])", [found])
    reason = gates.forbidden_sql(ledger, "identity")
    count = ledger.value(f"select count(*) from plan_identities where {reason} is not null")
    known = " union all ".join(f"select heap_identity from {relation}" for relation in told)
    count_unknown = ledger.value(
        f"select count(*) from plan_identities anti join ({known}) as known "
        "on known.heap_identity = plan_identities.identity"
    )
    ledger.db.execute("drop table plan_identities")
    if count:
        raise CounterfoilError(
            f"{count:,} rows of the plan belong to people who may no longer be told: make a new "
            "plan with `counterfoil plan`."
        )
    if count_unknown:
        raise CounterfoilError(
            f"{count_unknown:,} rows of the plan are about people whom the warehouse does not "
            "know, so that nobody can say whether they may be told: build from the whole exports, "
            "then make a new plan with `counterfoil plan`."
        )


def _halves(rows: Sequence[Row]) -> tuple[Sequence[Row], Sequence[Row]]:
    middle = len(rows) // 2
    return rows[:middle], rows[middle:]


def _texts(found: Mapping[str, Any]) -> list[str]:
    properties = found.get("properties") or {}
    return [v for v in properties.values() if isinstance(v, str) and not isinstance(v, NumberText)]
