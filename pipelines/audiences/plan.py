"""The plan of a push: who would be added to which segment and who removed, without any person."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import IO, Any

from pipelines.audiences.ledger import Change

FIELDS = (
    "audience_key", "destination_id", "action", "workspace_id", "cio_id", "identifier_type",
    "identifier", "reason",
)  # fmt: skip


@dataclass
class AudienceShare:
    """What a plan says of one audience; counts are people.

    Attributes:
        adds, removes: who is told, removals by reason.
        already_there: members whom somebody else had added; they are not ours, and stay so.
        gone: whom we added and who is no more, or was merged into somebody who is in.
        waiting: whom Customer.io refused before.
        blocked: why nothing of it moves; None where it does.
        held_back: whom we added and who would be removed if it were not blocked, by reason.
    """

    audience_key: str
    destination_id: str
    count_members: int = 0
    excluded: dict[str, int] = field(default_factory=dict)
    adds: int = 0
    removes: dict[str, int] = field(default_factory=dict)
    already_there: int = 0
    gone: int = 0
    waiting: int = 0
    blocked: str | None = None
    held_back: dict[str, int] = field(default_factory=dict)


@dataclass
class AudiencePlan:
    """What one push would say. `path` is the file that holds it; instants are UTC."""

    plan_id: str
    created_at: datetime
    as_of: datetime
    target: str | None
    target_label: str
    ledger_version: int
    path: Path | None = None
    shares: list[AudienceShare] = field(default_factory=list)
    count_adds: int = 0
    count_removes: int = 0
    count_gone: int = 0
    calls: int = 0
    minutes: float = 0.0
    held: dict[str, int] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        """Whether Customer.io has nothing to hear."""
        return self.count_adds + self.count_removes == 0

    def facts(self) -> dict[str, Any]:
        """The plan as `--json` prints it; without its path, the file's first line."""
        return {**asdict(self), "path": str(self.path) if self.path else None}


def from_header(header: dict[str, Any], path: Path) -> AudiencePlan:
    """The plan that a file's first line describes."""
    known = {name: header[name] for name in AudiencePlan.__dataclass_fields__ if name in header}
    known["created_at"] = datetime.fromisoformat(known["created_at"])
    known["as_of"] = datetime.fromisoformat(known["as_of"])
    known["shares"] = [AudienceShare(**share) for share in known["shares"]]
    return AudiencePlan(**{**known, "path": path})


@dataclass
class PushBatch:
    """Changes of one call, and where in the plan they end (rows, bytes)."""

    changes: list[Change]
    end: tuple[int, int]


def batches(lines: IO[bytes], most: int, *, start: tuple[int, int] = (0, 0)) -> Iterator[PushBatch]:
    """The calls of a plan's rows in order: of one audience, action and type of id each."""
    from json import loads

    count_rows, count_bytes = start
    batch: PushBatch | None = None
    for line in lines:
        found = loads(line)
        change = Change(**{name: found[name] for name in FIELDS})
        count_rows, count_bytes = count_rows + 1, count_bytes + len(line)
        if batch is not None and (
            len(batch.changes) >= most or _place(batch.changes[0]) != _place(change)
        ):
            yield batch
            batch = None
        if batch is None:
            batch = PushBatch([], (0, 0))
        batch.changes.append(change)
        batch.end = (count_rows, count_bytes)
    if batch is not None:
        yield batch


def _place(change: Change) -> tuple[str, str, str, str]:
    return (change.audience_key, change.destination_id, change.action, change.identifier_type)


def summary_lines(plan: AudiencePlan) -> list[str]:
    """The plan in lines of text; nobody is named."""
    lines = [
        f"audiences plan {plan.plan_id} for {plan.target_label}, as of {plan.as_of:%Y-%m-%d %H:%M}"
    ]
    for share in plan.shares:
        lines.append(f"  {share.audience_key}: {said_of(share)}")
    lines.append(
        f"  {plan.count_adds:,} to add, {plan.count_removes:,} to remove; calls: {plan.calls:,}, "
        f"at least {plan.minutes:,.1f} minutes at Customer.io's limits"
    )
    if plan.path:
        lines.append(f"  written to {plan.path}")
    return lines


def said_of(share: AudienceShare) -> str:
    """One audience of a plan in a few words."""
    if share.blocked:
        waiting = sum(share.held_back.values())
        return f"blocked, for {share.blocked}" + (
            f"; {waiting:,} wait to be removed ({_counted(share.held_back)})" if waiting else ""
        )
    removed = _counted(share.removes)
    said = [
        f"{share.count_members:,} members",
        f"{share.adds:,} to add",
        f"{sum(share.removes.values()):,} to remove" + (f" ({removed})" if removed else ""),
    ]
    more = {
        "there already by somebody else": share.already_there,
        "no more, or merged": share.gone,
        "refused before": share.waiting,
    }
    said += [f"{count:,} {label}" for label, count in more.items() if count]
    left_out = _counted(share.excluded)
    return "; ".join(said) + (f"; left out {left_out}" if left_out else "")


def _counted(by_reason: dict[str, int]) -> str:
    return ", ".join(f"{reason}: {count:,}" for reason, count in by_reason.items())
