"""Journeys: who passed through which, the steps taken, and the messages made on the way."""

from __future__ import annotations

from pathlib import Path

import duckdb

from pipelines.sample.brand import (
    BRAND_WORKSPACE,
    BROADCAST,
    BROWSE,
    DRAFT,
    HISTORY_DAYS,
    NEWSLETTERS,
    ORDER_CONFIRMATION,
    REPLENISHMENT,
    WELCOME,
    WINBACK,
    experiment,
)
from pipelines.sql import read_sql

SQL = Path(__file__).with_name("sql")


def make_journeys(work: duckdb.DuckDBPyConnection) -> None:
    """Create `replenishments`, `passes` (subjects), `messages` (deliveries), `steps` (outputs)."""
    _make_replenishments(work)
    _make_other_entries(work)
    _make_passes(work)
    _make_messages(work)
    _make_steps(work)


def _make_replenishments(work: duckdb.DuckDBPyConnection) -> None:
    """One row per reminder due. The reminder changes nothing: both potential outcomes are one."""
    reminder = experiment("replenishment")
    work.execute(
        read_sql(
            SQL / "replenishments.sql",
            start_day=reminder.start_day,
            control_share=reminder.control_share,
            window_hours=reminder.window_hours,
        )
    )


def _make_other_entries(work: duckdb.DuckDBPyConnection) -> None:
    """Journeys without a control: welcome, browse abandonment, a draft, an API broadcast."""
    work.execute(
        read_sql(
            SQL / "other_entries.sql",
            welcome=WELCOME,
            browse=BROWSE,
            draft=DRAFT,
            broadcast=BROADCAST,
        )
    )


def _make_passes(work: duckdb.DuckDBPyConnection) -> None:
    work.execute(
        read_sql(
            SQL / "passes.sql",
            brand=BRAND_WORKSPACE,
            replenishment=REPLENISHMENT,
            winback=WINBACK,
            broadcast=BROADCAST,
            browse=BROWSE,
        )
    )


def _make_messages(work: duckdb.DuckDBPyConnection) -> None:
    """One row per delivery. `orders_at`: the order that the message's goal window sees, if any."""
    letters = ", ".join(
        f"({letter.newsletter_id}, {letter.day}, {letter.contents[0]}, {letter.contents[1]})"
        for letter in NEWSLETTERS
    )
    reminder = experiment("replenishment")
    work.execute(
        read_sql(
            SQL / "messages.sql",
            brand=BRAND_WORKSPACE,
            replenishment=REPLENISHMENT,
            window_hours=reminder.window_hours,
            winback=WINBACK,
            welcome=WELCOME,
            browse=BROWSE,
            draft=DRAFT,
            letter_rows=letters,
            order_confirmation=ORDER_CONFIRMATION,
            history_days=HISTORY_DAYS,
        )
    )


def _make_steps(work: duckdb.DuckDBPyConnection) -> None:
    """Branches, delays, messages and exits, as rows of outputs."""
    work.execute(
        read_sql(
            SQL / "steps.sql",
            brand=BRAND_WORKSPACE,
            history_days=HISTORY_DAYS,
        )
    )
