"""What follows a message: hand-off, delivery, opens and clicks of people and machines, orders."""

from __future__ import annotations

from pathlib import Path

import duckdb

from pipelines.sample.brand import BATCHES, HISTORY_DAYS
from pipelines.sql import read_sql

SQL = Path(__file__).with_name("sql")


def make_reactions(work: duckdb.DuckDBPyConnection) -> None:
    """Create `reactions`: one row per metric event.

    Whoever is about to order opens and clicks far more often. That is all the click contrast shows.
    """
    work.execute(
        read_sql(
            SQL / "reactions.sql",
            history_days=HISTORY_DAYS,
            batches=BATCHES,
        )
    )
