"""The audiences as the build sees them: members, who came and left in a week, what is blocked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pipelines.built.tables import open_warehouse
from pipelines.console import Console
from pipelines.destinations import destination
from pipelines.settings import Settings

DIFFERENCES = Path(__file__).with_name("sql") / "differences.sql"
WHERE = {"heap": "Heap's list", "sql": "ours"}
SQL = Path(__file__).with_name("sql")


def list_audiences(settings: Settings, console: Console) -> list[dict[str, Any]]:
    """Every audience of the registry; prints a line each.

    Raises:
        CounterfoilError: nothing whole was built.
    """
    with open_warehouse(settings) as tables:
        found = tables.ask(SQL / "listing.sql")
        differences = tables.ask(DIFFERENCES)
    cells: list[list[str]] = []
    lines: list[str] = []
    for one in sorted(found, key=lambda one: one["blocked_reason"] is None):
        where = destination(one["destination"], one["destination_id"])
        blocked = f"; blocked, for {one['blocked_reason']}" if one["blocked_reason"] else ""
        cells.append(
            [
                one["audience_key"],
                f"{one['count_members']:,} of {one['count_in_segment']:,}",
                f"{one['segment_key']}_v{one['version']}",
                where,
                f"{one['count_held_out']:,}",
                f"+{one['count_entered_week']:,} -{one['count_left_week']:,}",
                f"blocked, for {one['blocked_reason']}" if blocked else "may move",
            ]
        )
        lines.append(
            f"{one['audience_key']}: {one['count_members']:,} of {one['count_in_segment']:,} in "
            f"{one['segment_key']}_v{one['version']} go to {where}; {one['count_held_out']:,} held "
            f"out; {one['count_entered_week']:,} entered and {one['count_left_week']:,} left in a "
            f"week{blocked}"
        )
        one["differences"] = [
            {name: value for name, value in who.items() if name != "audience_key"}
            for who in differences
            if who["audience_key"] == one["audience_key"]
        ]
        for who in one["differences"] if one["blocked_reason"] else ():
            where = WHERE[who["only_in"]]
            lines.append(f"    only in {where}, by {who['cause']}: {who['member_id']}")
    counts = ("members", "of segment", "go to", "held out", "came and left this week")
    headings = ("audience", *counts, "state")
    console.table(headings, cells, lines=lines)
    if not found:
        console.line("No audience is declared: see docs/audiences.md.")
    console.record(audiences=found)
    return found
