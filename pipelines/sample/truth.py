"""What a measurement should find: written apart from the export, never read by the pipeline."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import duckdb

from pipelines.built.quoting import literal
from pipelines.sample.brand import (
    ASKED_SHARE,
    BACK_TO_PAYMENT,
    BACK_TO_SHIPPING,
    BRAND_WORKSPACE,
    COMES_BACK,
    CONSENT_SHARE,
    EXPERIMENTS,
    LEAVES_BY_DOSE,
    RETURNED_SHARE,
    SAMPLE_AS_OF,
    SISTER_WORKSPACE,
    TEXT_EFFECT,
    WEEKEND_MOVES,
    WINBACK_EFFECT,
)
from pipelines.sql import read_sql

SQL = Path(__file__).with_name("sql")


def write_truth(
    work: duckdb.DuckDBPyConnection, folder: Path, *, people: int, seed: int, effect: float
) -> dict[str, Any]:
    """Write the truth's tables and two JSON files; return the effects."""
    folder.mkdir(parents=True, exist_ok=True)
    _make_tables(work)
    for table, order in {
        "persons": "workspace_id, person, cio_id",
        "identifiers": "workspace_id, person, cio_id, identifier_type, held_from",
        "stays": "person, stay, entered_at",
        "arms": "experiment_key, person",
        "exposures": "delivery_id",
    }.items():
        target = literal(str(folder / f"{table}.parquet"))
        work.execute(f"copy (from true_{table} order by {order}) to {target} (format parquet)")
    effects = _effects(work, effect)
    _write_json(folder / "true_effects.json", effects)
    _write_json(folder / "ledger.json", {"people": people, "seed": seed, **_ledger(work)})
    return effects


def _write_json(path: Path, facts: dict[str, Any]) -> None:
    path.write_text(json.dumps(facts, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def _make_tables(work: duckdb.DuckDBPyConnection) -> None:
    windows = ", ".join(f"('{one.key}', {one.window_hours})" for one in EXPERIMENTS)
    work.execute(
        read_sql(
            SQL / "truth.sql",
            sister=SISTER_WORKSPACE,
            brand=BRAND_WORKSPACE,
            ends_at=str(SAMPLE_AS_OF),
            window_rows=windows,
        )
    )


def _effects(work: duckdb.DuckDBPyConnection, effect: float) -> dict[str, Any]:
    planted = {"cart_recovery": effect, "winback": WINBACK_EFFECT, "shipping_text": TEXT_EFFECT}
    rows = work.execute(read_sql(SQL / "effects.sql")).fetchall()
    naive = _naive(work)
    found: dict[str, Any] = {"planted": _planted()}
    for one in EXPERIMENTS:
        own = [row[1:] for row in rows if row[0] == one.key]
        units, mature, _, if_treated, if_held, crossed = (
            sum(row[place] for row in own) for place in range(1, 7)
        )
        # the finite sample's own truth: both outcomes of every mature unit are known
        true_itt = (if_treated - if_held) / mature if mature else None
        found[one.key] = {
            "planted_effect_on_reached": planted.get(one.key, 0.0),
            "count_units": units,
            "count_mature": mature,
            "count_crossovers": crossed,
            "true_itt": true_itt,
            "true_itt_by_arm": {
                arm: true_itt if arm == one.arms[0] else 0.0 for arm in one.arms[:-1]
            },
            "true_mean_treated": if_treated / mature if mature else None,
            "true_mean_held_out": if_held / mature if mature else None,
            "realised": {arm: {"units": count, "ordered": y} for arm, _, count, y, *_ in own},
            "naive_contrasts": naive.get(one.key, {}),
        }
    return found


def _planted() -> dict[str, Any]:
    """What was planted besides effects: shares, and which journeys deserve which verdict."""
    drops = (1 - BACK_TO_SHIPPING, BACK_TO_SHIPPING * (1 - BACK_TO_PAYMENT))
    once, twice, _, often = LEAVES_BY_DOSE
    return {
        "carts_left_at_weekends": 2 / 7 + 5 / 7 * WEEKEND_MOVES,
        "orders_returned": RETURNED_SHARE,
        "carts_that_come_back": COMES_BACK,
        "dropped_before": {
            "shipping_viewed": drops[0],
            "payment_viewed": drops[1],
            "order_placed": 1 - sum(drops),
        },
        "left_by_dose": {"1": once, "2 to 3": twice, "4 or more": often},
        "consent_to_ads": ASKED_SHARE * CONSENT_SHARE,
        "takes_credit": "reorder_nudge",
        "tires_people": "Price drops",
    }


def _naive(work: duckdb.DuckDBPyConnection) -> dict[str, dict[str, float | None]]:
    """Ratios of order rates that a naive report would show, among the mature treated."""
    rows = work.execute(read_sql(SQL / "naive_contrasts.sql")).fetchall()

    def ratio(y: int, n: int, other_y: int, other_n: int) -> float | None:
        return (y / n) / (other_y / other_n) if n and other_n and other_y else None

    return {
        key: {
            "clickers_over_other_recipients": ratio(*counts[:4]),
            "text_recipients_over_other_recipients": ratio(*counts[4:]),
        }
        for key, *counts in rows
    }


def _ledger(work: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    """What was planted, counted."""

    def count(query: str) -> int:
        row = work.execute(f"select count(*) from {query}").fetchone()
        return int(row[0]) if row else 0

    return {
        "identity": dict(
            work.execute(
                "select noise, count(*) from persons where noise != 'none' "
                "group by noise order by noise"
            ).fetchall()
        ),
        "kinds": dict(
            work.execute(
                "select kind, count(*) from persons group by kind order by kind"
            ).fetchall()
        ),
        "email_only": count("persons where not has_id"),
        "id_only": count("persons where not has_email"),
        "in_sister_workspace": count("persons where in_sister"),
        "anonymised_deliveries": count(
            "messages inner join profiles using (workspace_id, i, slot) where not is_listed"
        ),
        "machine_or_proxied_opens": count("reactions where prefetched or proxied"),
        "machine_clicks": count("reactions where machine"),
        "late_metrics": count("reactions where is_late"),
        "deliveries_converted_more_than_once": count(
            "(select delivery_id from reactions where metric = 'converted' "
            "group by delivery_id having count(*) > 1)"
        ),
        "trapped_deliveries": count("messages where is_trapped"),
        "deliveries_never_sent": count("messages where fate != 'sent'"),
        "cart_entries": count("carts"),
        "cart_arms_redrawn": count(
            "true_arms where experiment_key = 'cart_recovery' and count_arms > 1"
        ),
        "orders_by_cause": dict(
            work.execute(
                "select cause, count(*) from orders group by cause order by cause"
            ).fetchall()
        ),
        "heap_users": count("heap_users"),
        "heap_users_of_our_server_only": count(
            "(select user_id from heap_sessions group by 1 having bool_and(library = 'server'))"
        ),
    }
