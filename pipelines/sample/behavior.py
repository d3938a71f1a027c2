"""What people do on the site: visits, views, checkout steps, orders and their arrival."""

from __future__ import annotations

from pathlib import Path

import duckdb

from pipelines.sample.brand import (
    BACK_TO_PAYMENT,
    BACK_TO_SHIPPING,
    COMES_BACK,
    HISTORY_DAYS,
    RETURNED_SHARE,
)
from pipelines.sql import read_sql

SQL = Path(__file__).with_name("sql")


def make_behavior(work: duckdb.DuckDBPyConnection) -> None:
    """Create `behavior`: one row per event, still under the person's number."""
    work.execute(
        read_sql(
            SQL / "behavior.sql",
            history_days=HISTORY_DAYS,
            comes_back=COMES_BACK,
            back_to_shipping=BACK_TO_SHIPPING,
            back_to_payment=BACK_TO_PAYMENT,
            returned_share=RETURNED_SHARE,
        )
    )
