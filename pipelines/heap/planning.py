"""Making a plan: computed from the marts and the ledger, filed, and told to nobody yet."""

from __future__ import annotations

import secrets
import shutil
from datetime import datetime
from pathlib import Path

from pipelines import locks
from pipelines.built.manifest import require_manifest
from pipelines.built.quoting import literal
from pipelines.console import Console
from pipelines.errors import CounterfoilError
from pipelines.heap import gates, otherwise, planfile, tally
from pipelines.heap.basis import Basis, read_basis
from pipelines.heap.bounds import read_bounds
from pipelines.heap.events import event_lines, judge_events
from pipelines.heap.gates import Gate
from pipelines.heap.ledger import Ledger
from pipelines.heap.limits import Clock, Limits
from pipelines.heap.marts import declared_models
from pipelines.heap.plan import Plan
from pipelines.heap.planfile import FileDigest
from pipelines.heap.properties import USER_LINES, judge_users
from pipelines.heap.target import find_target
from pipelines.heap.warehouse import attached
from pipelines.home import PARTIAL, UNFINISHED, require_free
from pipelines.room import told_when_full
from pipelines.settings import Settings


def make_plan(
    settings: Settings,
    console: Console,
    *,
    out: Path | None = None,
    as_of: datetime | None = None,
    ignore_cadence: bool = False,
    limits: Limits | None = None,
    clock: Clock | None = None,
) -> Plan:
    """Compute a plan, write it to `out` (default: a file in `plans/`), and print its summary.

    Args:
        settings: where the home is; app id and region are optional here.
        console: prints the summary, records the facts for `--json`.
        out: the plan's file; made readable by its owner only.
        as_of: the instant to judge by (UTC); default: the build's.
        ignore_cadence: also plan models that are not due yet.
        limits: Heap's limits, for the number of calls.
        clock: the clock of the ledger's records.
    """
    from pipelines.heap.summary import summary_lines

    clock = clock or Clock()
    if out is not None:
        require_free(out, planfile.is_plan, planfile.KIND)
    with (
        locks.hold(settings.home, "publisher", "plan"),
        told_when_full(settings.home),
        Ledger(settings) as ledger,
    ):
        plan = compute(
            settings,
            ledger,
            console,
            out=out,
            as_of=as_of,
            ignore_cadence=ignore_cadence,
            limits=limits or Limits(),
            clock=clock,
            keep_empty=True,
        )
    for line in summary_lines(plan):
        console.line(line)
    console.record(plan=plan.facts())
    return plan


def compute(
    settings: Settings,
    ledger: Ledger,
    console: Console,
    *,
    limits: Limits,
    clock: Clock,
    out: Path | None = None,
    as_of: datetime | None = None,
    ignore_cadence: bool = False,
    replay: bool = False,
    keep_empty: bool = False,
) -> Plan:
    """Compute and file a plan with an open ledger. `replay`: open dead letters only."""
    target = find_target(settings)
    now = clock.now()
    with console.progress("planning"), attached(ledger, settings) as warehouse:
        models = declared_models(require_manifest(settings, warehouse.whole))
        key = ledger.target_key(target) if target else ledger.last_target()
        basis = read_basis(
            ledger,
            warehouse,
            models,
            target=key,
            as_of=as_of,
            ignore_cadence=ignore_cadence,
            replay=replay,
        )
        plan = Plan(
            plan_id=f"plan-{now:%Y%m%dT%H%M%S}-{secrets.token_hex(4)}",
            created_at=now,
            as_of=basis.as_of,
            target=key,
            target_label=target.label if target else "no app configured",
            ledger_version=ledger.version,
            is_replay=replay,
        )
        judge_events(basis)
        judge_users(basis)
        tally.count(plan, basis)
        plan.bounds = read_bounds(warehouse)
        if not replay:
            plan.told_otherwise = otherwise.compare(basis)
        plan.gates.extend(
            [
                Gate(
                    "app and region",
                    target is not None,
                    f"{plan.target_label}."
                    if target
                    else "HEAP_APP_ID and HEAP_REGION are needed to publish.",
                ),
                gates.match_rate_gate(warehouse),
                gates.budget_gate(ledger, warehouse, key, plan.count_events, now),
                gates.segment_gate(warehouse, models, basis.as_of),
            ]
        )
        work = _work_folder(settings)
        rows = _render(basis, work) if keep_empty or not plan.is_empty else None
    if rows is None:
        return plan
    digest = _file(plan, rows, out or settings.plans_dir / f"{plan.plan_id}.jsonl", limits)
    ledger.record_plan(
        {
            "plan_id": plan.plan_id,
            "target": key,
            "as_of": plan.as_of,
            "created_at": now,
            "ledger_version": plan.ledger_version,
            "file_name": plan.path.name if plan.path else None,
            "rows_sha256": plan.rows_sha256,
            "file_sha256": digest.sha256,
            "file_bytes": digest.count_bytes,
            "count_events": plan.count_events,
            "count_users": plan.count_users,
            "count_calls": plan.calls,
            "status": "planned",
            "lines_settled": 0,
            "bytes_settled": 0,
        }
    )
    return plan


def _work_folder(settings: Settings) -> Path:
    """An empty folder beside the plans for rows that are being rendered; leftovers of a kill go."""
    work = settings.home / "tmp" / "rows"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    work.chmod(0o700)
    for leftover in settings.plans_dir.glob(f"{UNFINISHED}*{PARTIAL}"):
        leftover.unlink()
    return work


def _file(plan: Plan, rows: Path, path: Path, limits: Limits) -> FileDigest:
    found = planfile.scan(rows, limits)
    if (found.count_events, found.count_users) != (plan.count_events, plan.count_users):
        raise CounterfoilError(
            f"The Heap marts hold {found.count_events + found.count_users} rows where "
            f"{plan.count_events + plan.count_users} were planned: a publish_key is repeated in a "
            "mart, so fix its key and build again."
        )
    plan.rows_sha256 = found.sha256
    plan.calls = found.count_calls
    plan.path = path
    return planfile.write(path, plan.header(), rows)


def _render(basis: Basis, folder: Path) -> Path:
    """Write every row of the plan, as it will be sent, into one file."""
    rows, users = folder / "events", folder / "users"
    _copy(basis.ledger, event_lines(basis), rows)
    _copy(basis.ledger, USER_LINES, users)
    with rows.open("ab") as out, users.open("rb") as more:
        shutil.copyfileobj(more, out, 1 << 20)
    users.unlink()
    return rows


def _copy(ledger: Ledger, query: str, path: Path) -> None:
    # One column, a delimiter and no quoting: each value becomes a line byte for byte.
    # JSON escapes every control character, so neither can occur inside a row.
    path.touch(mode=0o600)
    ledger.db.execute(
        f"copy ({query}) to {literal(str(path))} "
        "(format csv, header false, quote '', escape '', delimiter e'\\x01')"
    )
