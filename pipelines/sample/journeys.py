"""Journeys: who passed through which, the steps taken, and the messages made on the way."""

from __future__ import annotations

from pathlib import Path

import duckdb

from pipelines.sample.brand import (
    BRAND_WORKSPACE,
    BROADCAST,
    BROWSE,
    CART,
    DRAFT,
    HISTORY_DAYS,
    LEAVES_BY_DOSE,
    NEWSLETTERS,
    ORDER_CONFIRMATION,
    PRICE_DROPS,
    PRICE_DROPS_DAY,
    PUSH,
    REPLENISHMENT,
    TEXT,
    WELCOME,
    WINBACK,
    experiment,
)
from pipelines.sql import read_sql

SQL = Path(__file__).with_name("sql")


def make_journeys(work: duckdb.DuckDBPyConnection) -> None:
    """Create `replenishments`, `nudges` and `price_drops`; then `passes` (subjects), `messages`
    (deliveries) and `steps` (outputs)."""
    _make_replenishments(work)
    _make_nudges(work)
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


def _make_nudges(work: duckdb.DuckDBPyConnection) -> None:
    """One row per reorder nudge, and per price drop. Neither makes anybody order."""
    nudge = experiment("reorder_nudge")
    work.execute(
        read_sql(
            SQL / "nudges.sql",
            start_day=nudge.start_day,
            control_share=nudge.control_share,
            window_hours=nudge.window_hours,
            drops_day=PRICE_DROPS_DAY,
            leaves_by_dose=", ".join(map(str, LEAVES_BY_DOSE)),
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
            push=PUSH,
            price_drop=PRICE_DROPS,
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
            cart=CART,
            push=PUSH,
            price_drop=PRICE_DROPS,
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
            cart=CART,
            text=TEXT,
            history_days=HISTORY_DAYS,
        )
    )
