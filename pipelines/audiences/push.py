"""Telling Customer.io: exactly the plan. Intent before each call, outcome after, both durable."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from math import inf
from pathlib import Path
from typing import IO

from pipelines import locks
from pipelines.audiences.client import TrackClient
from pipelines.audiences.ledger import AudienceLedger, Change
from pipelines.audiences.limits import PushLimits
from pipelines.audiences.membership import look_before, read_back
from pipelines.audiences.plan import AudiencePlan, batches, from_header, said_of
from pipelines.audiences.planning import MAKER, compute, find_changes
from pipelines.audiences.sender import PushSender, PushSummary
from pipelines.audiences.target import TrackTarget, require_track_target
from pipelines.calling.answers import TimeIsUp
from pipelines.calling.clock import Clock
from pipelines.console import Console
from pipelines.errors import CounterfoilError, UsageError
from pipelines.heap import planfile
from pipelines.heap.bounds import Bounds, read_bounds
from pipelines.heap.ledger import Ledger
from pipelines.heap.warehouse import attached
from pipelines.room import told_when_full
from pipelines.settings import Settings

Filter = Callable[[list[Change]], list[Change]]

STILL_SO = """
    select audience_key, destination_id, said, workspace_id, cio_id, identifier_type, identifier
    from audience_changes where said in ('add', 'remove')
"""
GONE = (
    "select audience_key, destination_id, workspace_id, cio_id from audience_changes "
    "where said = 'gone'"
)


def push(
    settings: Settings,
    console: Console,
    plan_file: Path | None = None,
    max_minutes: float | None = None,
    *,
    limits: PushLimits | None = None,
    clock: Clock | None = None,
    is_again: bool = False,
) -> PushSummary:
    """Send a plan (the given one or a fresh one) and record what Customer.io acknowledged.

    Args:
        settings: home, credentials of the workspace, region, host.
        console: progress and summary lines.
        plan_file: a file that `audiences plan` wrote, as the ledger recorded it; rows that are no
            longer so, such as adding somebody who is held out by now, are not sent.
        max_minutes: time box; what is left is sent by the next run.
        limits: Customer.io's limits; raised for the local one.
        clock: the only clock.
        is_again: also say again what Customer.io refused.

    Raises:
        UsageError: credentials or time box are missing or malformed.
        CounterfoilError: the plan is not the one that was made, the ledger moved on, Customer.io
            cannot be reached or refuses too much.
    """
    if max_minutes is not None and not 0 < max_minutes < inf:
        raise UsageError("A time box has minutes: give --max-minutes a number above 0.")
    clock, limits = clock or Clock(), limits or PushLimits()
    target = require_track_target(settings)
    with ExitStack() as stack:
        stack.enter_context(locks.hold(settings.home, "publisher", "audiences push"))
        stack.enter_context(told_when_full(settings.home))
        ledger = stack.enter_context(Ledger(settings))
        look_before(settings, ledger, target, console, now=clock.now())
        if plan_file is None:
            plan = compute(settings, ledger, console, limits=limits, clock=clock, is_again=is_again)
            if plan.path is None:
                raise CounterfoilError("The plan was not written.")
            lines = stack.enter_context(_held(plan.path, ledger))
        else:
            lines = stack.enter_context(_held(plan_file, ledger))
            plan = _opened(plan_file, lines, ledger, target)
        with attached(ledger, settings) as warehouse:
            find_changes(
                settings, ledger, warehouse, target.key(ledger.salt),
                is_again=is_again or plan_file is not None,
            )  # fmt: skip
            bounds = read_bounds(warehouse)
        summary = _send(
            plan, lines, ledger, target, console, bounds=bounds, limits=limits, clock=clock,
            max_minutes=max_minutes,
        )  # fmt: skip
        read_back(settings, ledger, target, console, now=clock.now())
        return summary


@contextmanager
def _held(path: Path, ledger: Ledger) -> Iterator[IO[bytes]]:
    """The plan's bytes as the ledger recorded them, in a copy that nobody can change.

    Raises:
        CounterfoilError: no plan of ours, one that the ledger does not know, or a changed one.
    """
    with planfile.opened(path, MAKER) as lines:
        header = planfile.read_header(lines, path.name, MAKER)
        filed = AudienceLedger(ledger).filed(header["plan_id"])
        if filed is None:
            raise CounterfoilError(
                f"The ledger does not know the plan {path.name} as one of audiences: make a new "
                f"one with `{MAKER}`."
            )
        folder = ledger.path.parent / "tmp"
        with planfile.held(lines, path.name, filed.digest, folder, MAKER) as copy:
            yield copy


def _opened(path: Path, lines: IO[bytes], ledger: Ledger, target: TrackTarget) -> AudiencePlan:
    """Read a plan that is what the ledger recorded, and make sure that it may still be sent.

    Raises:
        CounterfoilError: made for another workspace, or overtaken by the ledger.
    """
    plan = from_header(planfile.read_header(lines, path.name, MAKER), path)
    audiences = AudienceLedger(ledger)
    filed = audiences.filed(plan.plan_id)
    if filed is not None and filed.target not in (None, target.key(ledger.salt)):
        raise CounterfoilError(
            f"The plan was made for another workspace than {target.label}: make a new one with "
            f"`{MAKER}`."
        )
    if filed is not None and audiences.moved_on(plan.plan_id, filed):
        raise CounterfoilError(
            f"The ledger has moved on since this plan was made: make a new one with `{MAKER}`."
        )
    return plan


def _send(
    plan: AudiencePlan,
    lines: IO[bytes],
    ledger: Ledger,
    target: TrackTarget,
    console: Console,
    *,
    bounds: Bounds,
    limits: PushLimits,
    clock: Clock,
    max_minutes: float | None,
) -> PushSummary:
    """Send what is left of a plan and is still so."""
    audiences, key = AudienceLedger(ledger), target.key(ledger.salt)
    summary = PushSummary(plan.plan_id, "nothing")
    started = clock.monotonic()
    deadline = None if max_minutes is None else started + max_minutes * 60
    settled = audiences.settled(plan.plan_id)
    audiences.begin(plan.plan_id, key, clock.now())
    summary.count_gone = _forget_gone(ledger, key)
    fresh = set(ledger.rows(STILL_SO))
    with (
        TrackClient(
            target, limits, clock, uncertain_answers=bounds.uncertain_answers, deadline=deadline,
            on_wait=console.line,
        ) as client,
        console.progress(f"pushing to {target.label}", plan.count_adds + plan.count_removes)
        as advance,
    ):  # fmt: skip
        sender = PushSender(
            plan.plan_id, audiences, key, client, clock=clock, bounds=bounds, summary=summary
        )
        lines.seek(0)
        lines.readline()
        lines.seek(lines.tell() + settled[1])
        try:
            for batch in batches(lines, limits.ids_per_call, start=settled):
                if deadline is not None and clock.monotonic() >= deadline:
                    raise TimeIsUp
                changes = [change for change in batch.changes if _said(change) in fresh]
                name = batch.changes[0].audience_key
                if len(changes) < len(batch.changes):
                    count = len(batch.changes) - len(changes)
                    summary.held[name] = summary.held.get(name, 0) + count
                sender.send(batch, [] if name in summary.refused else changes, limits)
                advance(len(batch.changes))
            summary.status = "nothing" if plan.is_empty else "pushed"
            audiences.finish(plan.plan_id, clock.now())
        except TimeIsUp:
            summary.status = "resumes"
            done = audiences.settled(plan.plan_id)[0]
            summary.count_left = plan.count_adds + plan.count_removes - done
        summary.count_calls = client.count_calls
        summary.count_uncertain = client.count_uncertain
        nothing_went = client.why_nothing_went()
    summary.seconds = clock.monotonic() - started
    console.lines("\n".join(push_lines(summary, plan, target)))
    console.record(push=asdict(summary))
    if summary.status == "resumes" and nothing_went:
        raise nothing_went
    return summary


def _said(change: Change) -> tuple[object, ...]:
    return (
        change.audience_key, change.destination_id, change.action, change.workspace_id,
        change.cio_id, change.identifier_type, change.identifier,
    )  # fmt: skip


def _forget_gone(ledger: Ledger, target: str) -> int:
    """Whoever is no more is in no segment: there is nobody to remove, and nobody is ours."""
    count = int(ledger.value(f"select count(*) from ({GONE})"))
    for table in ("audience_state", "audience_intents"):
        ledger.db.execute(
            f"delete from {table} where target = ? and "
            f"(audience_key, destination_id, workspace_id, cio_id) in ({GONE})",
            [target],
        )
    return count


def push_lines(summary: PushSummary, plan: AudiencePlan, target: TrackTarget) -> list[str]:
    """A push in lines of text, fit for a log."""
    if summary.status == "nothing":
        lines = ["nothing new for Customer.io: no call was made"]
    else:
        lines = [
            f"audiences push {summary.plan_id} to {target.label}: {summary.count_added:,} added "
            f"and {summary.count_removed:,} removed in {summary.count_calls:,} calls, "
            f"{summary.seconds:,.1f} s"
        ]
    lines += [f"  {s.audience_key}: {said_of(s)}" for s in plan.shares if s.blocked]
    if summary.status == "resumes":
        lines.append(f"  time box ended: {summary.count_left:,} rows are left for the next run")
    for name, count in summary.held.items():
        lines.append(f"  held, for it is no longer so: {name} ({count:,})")
    for name, reason in summary.refused.items():
        lines.append(f"  {name}: {reason}")
    if summary.count_uncertain:
        lines.append(
            f"  {summary.count_uncertain:,} answers were not Customer.io's and count for nothing: "
            "check CUSTOMERIO_TRACK_URL and any proxy or sign-in page in between"
        )
    if summary.count_dead_letters:
        lines.append(
            f"  Customer.io refused {summary.count_dead_letters:,} ids: see "
            "`counterfoil deadletters list`"
        )
    return lines


def require_taken(summary: PushSummary) -> None:
    """What a command says of people and segments that were refused.

    Raises:
        CounterfoilError: there were any.
    """
    if summary.refused:
        raise CounterfoilError(
            f"Customer.io takes nothing for {', '.join(summary.refused)}; everything else was "
            "pushed: check the segment's id in audiences.csv."
        )
    if summary.count_dead_letters:
        raise CounterfoilError(
            f"Customer.io refused {summary.count_dead_letters:,} ids; everything else was pushed. "
            "See `counterfoil deadletters list`; `counterfoil audiences push --again` says them "
            "again."
        )
