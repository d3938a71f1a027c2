"""Making the plan of a push: the audience marts against what the ledger says is ours."""

from __future__ import annotations

import hashlib
import json
import secrets
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pipelines import locks
from pipelines.audiences.ledger import AudienceLedger
from pipelines.audiences.limits import CALLS_PER_MINUTE, PushLimits
from pipelines.audiences.plan import AudiencePlan, AudienceShare, batches, summary_lines
from pipelines.audiences.target import TrackTarget, find_track_target
from pipelines.built.quoting import literal
from pipelines.calling.clock import Clock
from pipelines.console import Console
from pipelines.heap import planfile
from pipelines.heap.ledger import Ledger
from pipelines.heap.warehouse import Warehouse, attached
from pipelines.home import require_free
from pipelines.room import told_when_full
from pipelines.settings import Settings
from pipelines.sql import names_in, read_sql

SQL = Path(__file__).with_name("sql")
MAKER = "counterfoil audiences plan"


def make_plan(
    settings: Settings,
    console: Console,
    *,
    out: Path | None = None,
    limits: PushLimits | None = None,
    clock: Clock | None = None,
) -> AudiencePlan:
    """Compute a plan, write it to `out` (default: a file in `plans/`), and print its summary.

    Raises:
        CounterfoilError: nothing whole was built, or the file cannot be written.
    """
    if out is not None:
        require_free(out, planfile.is_plan, planfile.KIND)
    with (
        locks.hold(settings.home, "publisher", "audiences plan"),
        told_when_full(settings.home),
        Ledger(settings) as ledger,
    ):
        plan = compute(
            settings, ledger, console, out=out, limits=limits or PushLimits(),
            clock=clock or Clock(),
        )  # fmt: skip
    console.lines("\n".join(summary_lines(plan)))
    console.record(plan=plan.facts())
    return plan


def compute(
    settings: Settings,
    ledger: Ledger,
    console: Console,
    *,
    limits: PushLimits,
    clock: Clock,
    out: Path | None = None,
    is_again: bool = False,
) -> AudiencePlan:
    """Compute and file a plan with an open ledger. `is_again`: also whom Customer.io refused."""
    target = find_track_target(settings)
    now = clock.now()
    audiences = AudienceLedger(ledger)
    key = target.key(ledger.salt) if target else audiences.last_target()
    with console.progress("planning"), attached(ledger, settings) as warehouse:
        find_changes(settings, ledger, warehouse, key, is_again=is_again)
        plan = AudiencePlan(
            plan_id=f"audiences-{now:%Y%m%dT%H%M%S}-{secrets.token_hex(4)}",
            created_at=now,
            as_of=warehouse.as_of,
            target=key,
            target_label=_label(target),
            ledger_version=ledger.version,
            shares=_shares(ledger, warehouse),
        )
        rows = _render(settings, ledger)
    plan.count_adds = sum(share.adds for share in plan.shares)
    plan.count_removes = sum(sum(share.removes.values()) for share in plan.shares)
    plan.count_gone = sum(share.gone for share in plan.shares)
    with rows.open("rb") as lines:
        plan.calls = sum(1 for _ in batches(lines, limits.ids_per_call))
    plan.minutes = round(plan.calls / CALLS_PER_MINUTE, 1)
    _file(plan, rows, out or settings.plans_dir / f"{plan.plan_id}.jsonl", audiences)
    return plan


def find_changes(
    settings: Settings,
    ledger: Ledger,
    warehouse: Warehouse,
    target: str | None,
    *,
    is_again: bool = False,
) -> None:
    """Make the temp table `audience_changes`: what a push to this target would say now."""
    names = {
        "target": literal(target) if target else "null",
        "salt": literal(ledger.salt),
        "fct_audience_members": warehouse.require(
            "fct_audience_members",
            "audience_key", "person_id", "workspace_id", "cio_id", "identifier_type", "identifier",
            "is_member", "exclusion_reason",
        ),
        "fct_audiences": warehouse.require(
            "fct_audiences", "audience_key", "destination", "destination_id", "blocked_reason"
        ),
        "int_audiences__profiles": warehouse.require(
            "int_audiences__profiles", "cio_id", "is_alive", "is_merged_away"
        ),
        "int_audiences__held_out": warehouse.require(
            "int_audiences__held_out", "audience_key", "person_id"
        ),
        "int_identity__merges": warehouse.require(
            "int_identity__merges", "primary_cio_id", "secondary_cio_id"
        ),
        "workspace": _number(settings.customerio_workspace),
        "is_again": str(is_again).lower(),
    }  # fmt: skip
    for name in ("ours", "stops", "changes"):
        file = SQL / f"{name}.sql"
        ledger.db.execute(read_sql(file, **{one: names[one] for one in names_in(file)}))


def shares_without_ledger(found: Sequence[dict[str, Any]]) -> list[AudienceShare]:
    """Audiences that go to Customer.io with their members and whom they leave out."""
    shares: dict[str, AudienceShare] = {}
    for row in found:
        share = shares.setdefault(
            row["audience_key"],
            AudienceShare(
                row["audience_key"],
                row["destination_id"],
                count_members=row["count_members"],
                blocked=row["blocked_reason"],
            ),
        )
        if row["count_people"]:
            share.excluded[row["exclusion_reason"]] = row["count_people"]
    return list(shares.values())


def _shares(ledger: Ledger, warehouse: Warehouse) -> list[AudienceShare]:
    found = [
        row
        for row in warehouse.ask(SQL / "members.sql")
        if row["destination"] == "customerio_segment"
    ]
    shares = {share.audience_key: share for share in shares_without_ledger(found)}
    for key, reason in ledger.rows("select audience_key, reason from audience_stops"):
        known = shares.get(key, AudienceShare(key, ""))
        shares[key] = replace(known, blocked=reason)
    for key, action, reason, count in ledger.rows(read_sql(SQL / "counts.sql")):
        share = shares[key]
        if action == "add":
            share.adds += count
        elif action == "remove":
            share.removes[reason] = share.removes.get(reason, 0) + count
        elif action == "there already":
            share.already_there += count
        elif action == "gone":
            share.gone += count
        elif action == "waits":
            share.held_back[reason] = share.held_back.get(reason, 0) + count
        else:
            share.waiting += count
    return [shares[key] for key in sorted(shares)]


def _render(settings: Settings, ledger: Ledger) -> Path:
    """Every row of the plan in a file of its own, as `push` will read it."""
    work = settings.home / "tmp" / "changes"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    work.chmod(0o700)
    path = work / "changes"
    path.touch(mode=0o600)
    ledger.db.execute(
        f"copy ({read_sql(SQL / 'change_lines.sql')}) to {literal(str(path))} "
        "(format csv, header false, quote '', escape '', delimiter e'\\x01')"
    )
    return path


def _file(plan: AudiencePlan, rows: Path, path: Path, audiences: AudienceLedger) -> None:
    sha256 = hashlib.sha256(rows.read_bytes()).hexdigest()
    header = json.loads(json.dumps({**plan.facts(), "rows_sha256": sha256}, default=str))
    del header["path"]
    digest = planfile.write(path, header, rows)
    plan.path = path
    audiences.record_plan(
        {
            "plan_id": plan.plan_id,
            "target": plan.target,
            "as_of": plan.as_of,
            "created_at": plan.created_at,
            "ledger_version": plan.ledger_version,
            "file_name": path.name,
            "file_sha256": digest.sha256,
            "file_bytes": digest.count_bytes,
            "count_adds": plan.count_adds,
            "count_removes": plan.count_removes,
            "count_calls": plan.calls,
            "status": "planned",
            "lines_settled": 0,
            "bytes_settled": 0,
        }
    )


def _label(target: TrackTarget | None) -> str:
    return target.label if target else "no workspace configured"


def _number(value: int | None) -> str:
    return "cast(null as bigint)" if value is None else str(value)
