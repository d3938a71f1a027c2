"""What a measurement should find: written apart from the export, never read by the pipeline."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import duckdb

from pipelines.built.quoting import literal
from pipelines.sample.brand import (
    BRAND_WORKSPACE,
    EXPERIMENTS,
    SAMPLE_AS_OF,
    SISTER_WORKSPACE,
    WINBACK_EFFECT,
)


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
        f"""
    create macro person_of(workspace_id, i) as
        concat(if(workspace_id = {SISTER_WORKSPACE}, 'S', 'P'), lpad(i::varchar, 8, '0'));

    create table true_persons as
    select
        workspace_id, person_of(workspace_id, i) as person,
        concat('H', lpad(i::varchar, 8, '0')) as human,
        cio_id, slot, kind, noise, category, is_listed, profiles.created_at,
    from profiles
    inner join persons using (i);

    create table true_identifiers as
    with versions as (
        select
            people_versions.*, cio_id,
            lead(held_from) over (
                partition by people_versions.workspace_id, i, slot order by held_from
            ) as next_from,
        from people_versions
        inner join profiles using (workspace_id, i, slot)
    )

    select
        workspace_id, person_of(workspace_id, i) as person, cio_id,
        'customer_id' as identifier_type,
        customer_id as identifier, held_from, next_from as held_to,
    from versions
    where customer_id is not null and not deleted and not suppressed
    union all
    select
        workspace_id, person_of(workspace_id, i), cio_id, 'email', email, held_from, next_from,
    from versions
    where email is not null and not deleted and not suppressed;

    -- Planted intervals. They are facts of the generator, not anybody's segment definition.
    create table true_stays as
    select
        person_of({BRAND_WORKSPACE}, i) as person,
        if(saw_shipping, 'cart_left_after_shipping', 'cart_left') as stay,
        abandoned_at as entered_at, ordered_at as exited_at,
    from carts
    union all
    select person_of({BRAND_WORKSPACE}, i), 'refill_due', entered_at, ordered_at
    from replenishments
    union all
    select person_of({BRAND_WORKSPACE}, i), 'lapsed', last_ordered_at + to_days(60), ordered_at
    from winbacks;

    create table true_arms as
    with assigned as (
        select
            'cart_recovery' as experiment_key, workspace_id, i, subject_key, is_held_out,
            assigned_at,
            buys_if_held_out as y_held_out, buys_if_treated as y_treated,
            ordered_at is not null as y,
            email_fate = 'sent' as is_reachable,
        from carts
        union all
        select
            'replenishment', {BRAND_WORKSPACE}, i, subject_key, is_held_out, assigned_at,
            ordered_at is not null, ordered_at is not null, ordered_at is not null,
            email_fate = 'sent',
        from replenishments
        union all
        select
            'winback', {BRAND_WORKSPACE}, i, subject_key, is_held_out, assigned_at,
            buys_if_held_out, buys_if_treated, ordered_at is not null, email_fate = 'sent',
        from winbacks
        union all
        select
            'sister_cart', workspace_id, i, subject_key, is_held_out, assigned_at,
            ordered_at is not null, ordered_at is not null, ordered_at is not null,
            email_fate = 'sent',
        from sister_carts
    ),

    firsts as (
        select
            experiment_key, workspace_id, i,
            count(*) as count_assignments,
            count(distinct is_held_out) as count_arms,
            arg_min(assigned, assigned_at) as first,
        from assigned
        group by experiment_key, workspace_id, i
    )

    select
        experiment_key, person_of(firsts.workspace_id, firsts.i) as person, firsts.i,
        if(first.is_held_out, 'holdout', 'treatment') as arm,
        first.assigned_at as assigned_at, first.subject_key as subject_key,
        count_assignments, count_arms,
        first.y_held_out as y_held_out, first.y_treated as y_treated, first.y as y,
        first.is_reachable as is_reachable,
        first.assigned_at + to_hours(window_hours) <= timestamp '{SAMPLE_AS_OF}' as is_mature,
    from firsts
    inner join (values {windows}) as windows (experiment_key, window_hours) using (experiment_key);

    create table true_exposures as
    select
        delivery_id, workspace_id, person_of(workspace_id, i) as person,
        ulid(subject_key) as subject_name,
        campaign_id, action_id, channel, created_at,
        case
            when is_trapped then 'ghost' when fate != 'sent' then 'none' else 'real'
        end as exposure_kind,
        if(fate = 'sent' or is_trapped, null, fate) as not_exposed_reason,
    from messages;
        """
    )


def _effects(work: duckdb.DuckDBPyConnection, effect: float) -> dict[str, Any]:
    planted = {
        "cart_recovery": effect,
        "replenishment": 0.0,
        "winback": WINBACK_EFFECT,
        "sister_cart": 0.0,
    }
    found: dict[str, Any] = {
        key: {"planted_effect_on_reached": value, "count_units": 0}
        for key, value in planted.items()
    }
    rows = work.execute(
        """
    select
        experiment_key, count(*), count(*) filter (is_mature),
        count(*) filter (is_mature and arm = 'treatment'),
        count(*) filter (is_mature and arm = 'treatment' and y),
        count(*) filter (is_mature and arm = 'holdout'),
        count(*) filter (is_mature and arm = 'holdout' and y),
        count(*) filter (is_mature and y_treated), count(*) filter (is_mature and y_held_out),
        count(*) filter (count_arms > 1),
    from true_arms
    group by experiment_key
        """
    ).fetchall()
    naive = _naive(work)
    for key, units, mature, treated, treated_y, held, held_y, if_treated, if_held, crossed in rows:
        found[key].update(
            count_units=units,
            count_mature=mature,
            count_crossovers=crossed,
            # the finite sample's own truth: both outcomes of every mature unit are known
            true_itt=(if_treated - if_held) / mature if mature else None,
            true_mean_treated=if_treated / mature if mature else None,
            true_mean_held_out=if_held / mature if mature else None,
            realised={
                "treatment": {"units": treated, "ordered": treated_y},
                "holdout": {"units": held, "ordered": held_y},
            },
            naive_contrasts=naive.get(key, {}),
        )
    return found


def _naive(work: duckdb.DuckDBPyConnection) -> dict[str, dict[str, float | None]]:
    """Ratios of order rates that a naive report would show, among the mature treated."""
    rows = work.execute(
        """
    with clicked as (
        select distinct delivery_id from reactions where metric = 'clicked' and not machine
    ),

    treated as (
        select
            true_arms.experiment_key, true_arms.i, true_arms.y,
            bool_or(clicked.delivery_id is not null) as is_clicked,
            bool_or(messages.action_id = 1013 and messages.fate = 'sent') as is_texted,
        from true_arms
        inner join messages on true_arms.subject_key = messages.subject_key
        left join clicked on messages.delivery_id = clicked.delivery_id
        where arm = 'treatment' and is_mature
        group by true_arms.experiment_key, true_arms.i, true_arms.y
    )

    select
        experiment_key,
        count(*) filter (is_clicked and y), count(*) filter (is_clicked),
        count(*) filter (not is_clicked and y), count(*) filter (not is_clicked),
        count(*) filter (is_texted and y), count(*) filter (is_texted),
        count(*) filter (not is_texted and y), count(*) filter (not is_texted),
    from treated
    group by experiment_key
        """
    ).fetchall()

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
