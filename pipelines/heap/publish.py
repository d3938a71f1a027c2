"""Telling Heap: exactly the plan. Intent before each call, outcome after, both durable."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import asdict
from math import inf
from pathlib import Path
from typing import IO

from pipelines import locks
from pipelines.console import Console
from pipelines.errors import CounterfoilError, UsageError
from pipelines.heap import planfile
from pipelines.heap.client import (
    HeapClient,
    TimeIsUp,
)
from pipelines.heap.ledger import Ledger
from pipelines.heap.limits import Clock, Limits
from pipelines.heap.outcome import PublishSummary, publish_lines
from pipelines.heap.plan import Plan, from_header
from pipelines.heap.planfile import FileDigest
from pipelines.heap.planning import compute
from pipelines.heap.recheck import recheck
from pipelines.heap.sender import Sender
from pipelines.heap.target import Target, require_target
from pipelines.heap.truth import held_in
from pipelines.room import told_when_full
from pipelines.settings import Settings


def publish(
    settings: Settings,
    console: Console,
    plan_file: Path | None = None,
    max_minutes: float | None = None,
    *,
    limits: Limits | None = None,
    clock: Clock | None = None,
    ignore_cadence: bool = False,
    strict: bool = False,
) -> PublishSummary:
    """Send a plan (the given one or a fresh one) and record what Heap acknowledged.

    Args:
        settings: home, app id, region, host.
        console: progress and summary lines.
        plan_file: a file that `plan` wrote, as the ledger recorded it; its rows are sent byte for
            byte, but for those that say what is no longer so.
        max_minutes: time box; what is left is sent by the next run.
        limits: Heap's limits; raised for a local Heap.
        clock: the publisher's clock.
        ignore_cadence: also send models that are not due yet.
        strict: one row that says what is no longer so keeps all of the plan from being sent.

    Raises:
        UsageError: app id, region or time box is missing or malformed.
        CounterfoilError: a gate is closed or cannot be checked, the plan is not the one that was
            made, the ledger moved on, Heap cannot be reached, or the time box ended and nothing
            was answered as Heap answers, or not at all.
    """
    if max_minutes is not None and not 0 < max_minutes < inf:
        raise UsageError("A time box has minutes: give --max-minutes a number above 0.")
    clock = clock or Clock()
    limits = limits or Limits()
    target = require_target(settings)
    with ExitStack() as stack:
        stack.enter_context(locks.hold(settings.home, "publisher", "publish"))
        stack.enter_context(told_when_full(settings.home))
        ledger = stack.enter_context(Ledger(settings))
        lines: IO[bytes] | None = None
        if plan_file is None:
            plan = compute(
                settings, ledger, console, limits=limits, clock=clock,
                ignore_cadence=ignore_cadence,
            )  # fmt: skip
        else:
            lines = stack.enter_context(_held(plan_file, ledger))
            plan = open_plan(plan_file, lines, ledger, target)
            key = ledger.target_key(target)
            recheck(plan, lines, ledger, key, settings, clock, strict=strict)
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
    summary = PublishSummary(
        plan.plan_id, "nothing", count_refused=plan.count_refused, held=plan.held
    )
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
        HeapClient(
            target,
            limits,
            clock,
            uncertain_answers=plan.bounds.uncertain_answers,
            deadline=deadline,
            on_wait=console.line,
        ) as client,
        console.progress(f"publishing to {target.label}", left) as advance,
    ):
        ledger.begin_sending(plan.plan_id, key, target, clock.now())
        held = held_in(ledger) if lines is not None else None
        sender = Sender(plan, ledger, key, client, clock=clock, summary=summary, held=held)
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
        nothing_went = client.why_nothing_went()
    summary.seconds = clock.monotonic() - started
    for line in publish_lines(summary, target):
        console.line(line)
    console.record(publish=asdict(summary))
    if summary.status == "resumes" and nothing_went:
        raise nothing_went
    return summary
