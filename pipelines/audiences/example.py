"""The way back on the sample brand, from a finding to the segment and the ad file, in a few lines.

`make run` ends with it, against a local Customer.io; docs/audiences.md tells the same story.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pipelines.audiences.export import export
from pipelines.audiences.limits import UNHURRIED
from pipelines.audiences.push import push
from pipelines.built.tables import open_warehouse
from pipelines.console import Console
from pipelines.settings import Settings

SQL = Path(__file__).with_name("sql")
MIRRORED, WRITTEN = "cart_recovery_sms", "cart_recovery_ads"


def living(settings: Settings, workspace_id: int) -> list[dict[str, Any]]:
    """The profiles that Customer.io holds, as the people export shows them: cio_id, id, email."""
    with open_warehouse(settings) as tables:
        return tables.ask(SQL / "living.sql", {"workspace_id": workspace_id})


def walk(settings: Settings, console: Console) -> None:
    """Tell what was found, whom it makes an audience of, and that nobody held out is in it."""
    with open_warehouse(settings) as tables:
        (found,) = tables.ask(SQL / "example_finding.sql")
        audiences = {row["audience_key"]: row for row in tables.ask(SQL / "listing.sql")}
        held_out = {row["cio_id"] for row in tables.ask(SQL / "example_held_out.sql")}
    mirrored = audiences[MIRRORED]
    console.line("The way back:")
    console.line(
        f"  found: {found['count_dropped']:,} of cart recovery's treated people saw the shipping "
        f"rates and did not pay; the messages add {found['difference']:.1%} "
        f"({found['difference_low']:.1%} to {found['difference_high']:.1%}), {found['status']}"
    )
    console.line(
        f"  segment: {mirrored['segment_key']}_v{mirrored['version']}, "
        f"{mirrored['count_in_segment']:,} people now, {mirrored['count_held_out']:,} of them held "
        "out"
    )
    quiet = Console(as_json=True)
    summary = push(settings, quiet, limits=UNHURRIED)
    out = settings.home / "reviews" / f"{WRITTEN}.csv"
    manifest = export(settings, quiet, WRITTEN, out=out)
    told = _told(settings)
    console.line(
        f"  Customer.io: {summary.count_added:,} added and {summary.count_removed:,} removed; "
        f"{len(told):,} are in segment {mirrored['destination_id']} by us"
    )
    console.line(
        f"  {manifest['platform']}: {manifest['count_rows']:,} hashed rows with consent in {out}"
    )
    console.line(f"  held out and told of all the same: {len(told & held_out):,}")
    console.record(
        way_back={
            "told": len(told),
            "held_out_told": len(told & held_out),
            "file_rows": manifest["count_rows"],
        }
    )


def _told(settings: Settings) -> set[str]:
    """The profiles that are in a segment by us."""
    from pipelines.heap.ledger import Ledger

    with Ledger(settings) as ledger:
        return {
            row[0] for row in ledger.rows("select cio_id from audience_state where told = 'added'")
        }
