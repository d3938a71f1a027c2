"""What a publish did."""

from __future__ import annotations

from dataclasses import dataclass, field

from pipelines.heap.target import Target


@dataclass
class PublishSummary:
    """What a publish did, in rows; `status` is published, nothing, or resumes (time box).

    `count_uncertain` counts answers that were not Heap's and proved nothing; `held` counts rows of
    the plan that say what is no longer so, by event and reason.
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
    held: dict[str, int] = field(default_factory=dict)

    @property
    def count_answered(self) -> int:
        """Rows that Heap took or refused."""
        return self.count_events + self.count_users + self.count_dead_letters

    @property
    def has_new_dead_letters(self) -> bool:
        """Whether the command exits 1."""
        return self.count_dead_letters > 0


def publish_lines(summary: PublishSummary, target: Target) -> list[str]:
    """A publish in lines of text, fit for a log."""
    lines = [
        f"publish {summary.plan_id} to {target.label}: {summary.count_events:,} events and "
        f"{summary.count_users:,} identities' properties acknowledged in {summary.count_calls:,} "
        f"calls, {summary.seconds:,.1f} s"
    ]
    if summary.status == "resumes":
        lines.append(f"  time box ended: {summary.count_left:,} rows are left for the next run")
    for reason, count in summary.held.items():
        lines.append(f"  held, for it is no longer so: {reason} ({count:,})")
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
