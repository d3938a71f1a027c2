"""Orders: the habit (a cycle per category), the recovered cart, and the customer won back."""

from __future__ import annotations

from pathlib import Path

import duckdb

from pipelines.sample.brand import HISTORY_DAYS, WINBACK_EFFECT, experiment
from pipelines.sql import read_sql

SQL = Path(__file__).with_name("sql")


def make_orders(work: duckdb.DuckDBPyConnection) -> None:
    """Create `winbacks` (with both potential outcomes) and `orders`; needs persons and carts."""
    winback = experiment("winback")
    work.execute(
        read_sql(
            SQL / "orders.sql",
            winback_salt=winback.salt,
            winback_workspace=winback.workspace_id,
            held_out_of_10000=int(winback.control_share * 10000),
            winback_effect=WINBACK_EFFECT,
            history_days=HISTORY_DAYS,
        )
    )
