"""What a backtest finds: two versions of one segment over one window."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True)
class VersionFacts:
    """One version over the window.

    Attributes:
        count_persons: persons who were in it at any time; count_members: at the end.
        count_entrants, count_leavers: stays that began and ended in the window.
        person_days: time spent in it, days of 24 hours.
        count_orders, count_buyers, revenue: of members, money as text with two decimals.
        order_rate: buyers per person; null without persons.
    """

    version: int
    count_persons: int
    count_members: int
    count_entrants: int
    count_leavers: int
    person_days: float
    count_orders: int
    count_buyers: int
    revenue: str
    order_rate: float | None


@dataclass(frozen=True)
class Week:
    """Members at a Monday, 00:00 UTC, under both versions."""

    week_at: datetime
    members_from: int
    members_to: int


@dataclass(frozen=True)
class Overlap:
    """Persons who were in another exported segment and in this one at the same time."""

    segment_key: str
    version: int
    persons_from: int
    persons_to: int
    share_from: float | None
    share_to: float | None


@dataclass(frozen=True)
class Backtest:
    """Two versions of one segment, compared over `[since, as_of)`.

    Attributes:
        jaccard_ever, jaccard_now, jaccard_time: shared over united persons, members at the end
            and person-time; null when nobody is in either.
        break_members, break_order_rate, break_revenue_per_person: the relative step that a trend
            line would make if the definition were exchanged and nothing else happened; null
            without a base.
    """

    segment_key: str
    since: datetime
    as_of: datetime
    before: VersionFacts
    after: VersionFacts
    jaccard_ever: float | None
    jaccard_now: float | None
    jaccard_time: float | None
    break_members: float | None
    break_order_rate: float | None
    break_revenue_per_person: float | None
    weeks: tuple[Week, ...]
    overlaps: tuple[Overlap, ...]

    def facts(self) -> dict[str, Any]:
        """What --json prints."""
        facts = asdict(self)
        facts["since"] = self.since.isoformat()
        facts["as_of"] = self.as_of.isoformat()
        for week in facts["weeks"]:
            week["week_at"] = week["week_at"].date().isoformat()
        return facts
