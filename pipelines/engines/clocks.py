"""Time zones: a brand's days begin by their rules, and each engine has those of its own age."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb

from pipelines.built.quoting import literal
from pipelines.errors import CounterfoilError

WORKSPACES = "workspaces.csv"
SINCE = datetime(2000, 1, 1)
AHEAD = timedelta(days=31)
STEP = "interval 6 hours"

CHANGES = """
select moment, shift
from (select *, lag(shift) over (order by moment) as former from ({shifts}) as shifts) as steps
where former is null or former <> shift
order by moment
"""
DUCKDB = """
select moment, epoch(timezone({zone}, timezone('UTC', moment))) - epoch(moment) as shift
from range({start}, {end}, {step}) as moments (moment)
"""
SPARK = """
select moment, unix_seconds(from_utc_timestamp(moment, {zone})) - unix_seconds(moment) as shift
from (select explode(sequence({start}, {end} - {step}, {step})) as moment) as moments
"""


def require_same_rules(session: Any, seeds: Path) -> None:
    """Make sure that Spark knows the time zones of the workspaces, by the rules that DuckDB has.

    Args:
        seeds: the folder of registries that is built.

    Raises:
        CounterfoilError: it does not know one, or has other rules until a month from now.
    """
    end = datetime.now(UTC) + AHEAD
    with duckdb.connect() as db:
        for zone in _zones(seeds / WORKSPACES):
            try:
                ours = db.execute(_asked(DUCKDB, zone, end)).fetchall()
            except duckdb.Error:
                continue  # it is no zone of either: the build says so
            try:
                theirs = session.sql(_asked(SPARK, zone, end)).collect()
            except Exception as error:
                raise CounterfoilError(
                    f"Spark's Java does not know the time zone {zone} of {WORKSPACES}, as DuckDB"
                    " does: give Spark a newer Java, or name a place there with the same time."
                ) from error
            if since := first_difference(ours, theirs):
                raise CounterfoilError(
                    f"Spark's Java and DuckDB have other rules for the time zone {zone} of"
                    f" {WORKSPACES} from {since:%Y-%m-%d} on, so that days would begin"
                    " at other times: bring the older one up to date, which mostly is Java."
                )


def first_difference(
    ours: Sequence[tuple[Any, ...]], theirs: Sequence[tuple[Any, ...]]
) -> datetime | None:
    """The first moment with another shift in one of two lists of moments and shifts in seconds."""
    found = [{(at.replace(tzinfo=None), int(shift)) for at, shift in one} for one in (ours, theirs)]
    return min((at for at, _ in found[0] ^ found[1]), default=None)


def _zones(workspaces: Path) -> list[str]:
    if not workspaces.is_file():
        return []
    with workspaces.open(encoding="utf-8", newline="") as file:
        return sorted({row.get("time_zone") or "" for row in csv.DictReader(file)} - {""})


def _asked(shifts: str, zone: str, end: datetime) -> str:
    start, until = (f"timestamp '{moment:%Y-%m-%d %H}:00:00'" for moment in (SINCE, end))
    given = shifts.format(zone=literal(zone), start=start, end=until, step=STEP)
    return CHANGES.format(shifts=given)
