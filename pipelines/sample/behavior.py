"""What people do on the site: visits, views, checkout steps, orders and their arrival."""

from __future__ import annotations

from pathlib import Path

import duckdb

from pipelines.sample.brand import HISTORY_DAYS
from pipelines.sql import read_sql

SQL = Path(__file__).with_name("sql")


def make_behavior(work: duckdb.DuckDBPyConnection) -> None:
    """Create `behavior`: one row per event, still under the person's number."""
    work.execute(
        read_sql(
            SQL / "behavior.sql",
            history_days=HISTORY_DAYS,
        )
    )
