"""Abandoned carts: who leaves one, what they would do held out, and what they would do treated."""

from __future__ import annotations

from pathlib import Path

import duckdb

from pipelines.sample.brand import (
    BRAND_WORKSPACE,
    CART,
    SISTER_WORKSPACE,
    TEXT,
    TEXT_EFFECT,
    TEXTABLE_SHARE,
    WEEKEND_MOVES,
    experiment,
)
from pipelines.sql import read_sql

SQL = Path(__file__).with_name("sql")


def make_carts(work: duckdb.DuckDBPyConnection, effect: float) -> None:
    """Create `carts`: one row per abandoned cart, with both potential outcomes.

    Whether shipping rates were seen decides how likely the order is; no message has that effect.
    The e-mail at one hour adds `effect` for those it reaches, the text at thirty minutes
    `TEXT_EFFECT`; the text at four hours adds nothing.
    """
    cart, sister = experiment("cart_recovery"), experiment("sister_cart")
    text = experiment("shipping_text")
    (text_day, early), (text_changed_day, early_changed) = (
        (day, shares[0]) for day, shares in text.allocations
    )
    work.execute(
        read_sql(
            SQL / "carts.sql",
            start_day=cart.start_day,
            control_share=cart.control_share,
            effect=effect,
            brand=BRAND_WORKSPACE,
            cart=CART,
            weekend_moves=WEEKEND_MOVES,
            text=TEXT,
            textable_share=TEXTABLE_SHARE,
            text_day=text_day,
            text_changed_day=text_changed_day,
            text_control=text.control_share,
            early_share=early,
            early_share_changed=early_changed,
            text_effect=TEXT_EFFECT,
            sister_start_day=sister.start_day,
            sister_control_share=sister.control_share,
            sister=SISTER_WORKSPACE,
        )
    )
