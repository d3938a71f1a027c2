"""Chance without a state: every draw is a function of the seed, a key and what is drawn.

md5 rather than an engine's own hash or generator, so that the sample stays the same under any
engine version, thread count and size.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from pipelines.sample.brand import EXPORT_DAYS, HISTORY_DAYS, SAMPLE_START
from pipelines.sql import read_sql

SQL = Path(__file__).with_name("sql")


def define_draws(work: duckdb.DuckDBPyConnection, seed: int) -> None:
    """Create the macros that the other modules' SQL is written in."""
    work.execute(
        read_sql(
            SQL / "draws.sql",
            seed_number=int(seed),
            start=f"{SAMPLE_START:%Y-%m-%d}",
            batches=HISTORY_DAYS // EXPORT_DAYS,
            export_days=EXPORT_DAYS,
        )
    )
