"""Brands whose texts do what was planted and nothing else, read by the models' own SQL.

Each world is an experiment of its own, so that one statement reads many of them. Two arms get a
text after the shipping rates were seen, half an hour or four hours after the trigger; all who have
not bought get an e-mail a day after it. Everything is drawn by numpy from the seed of the world.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
from by_hand import ByHand

AS_OF = datetime(2026, 6, 1)
WINDOW = 168 * 60
"""Minutes after the assignment in which an order counts."""

Z = 1.959963984540054
MEAN_WAIT = 600.0
"""Minutes from the trigger to an order, on average."""

ARMS = {"holdout": 0.3, "early": 0.35, "late": 0.35}
TEXTED_AFTER = {"early": 30.0, "late": 240.0}
JITTER = 5.0
MAILED_AFTER = 1440.0
REACHED = 0.95
SEEN, SEEN_LATE = 0.4, 0.1
RATES = {True: 0.185, False: 0.1}
"""Who orders without any message: those who see the shipping rates, and the others."""

MODELS = (
    "int_insight__cohorts",
    "int_insight__cohort_arms",
    "int_insight__sends",
    "int_insight__risk_instants",
    "int_insight__risk_sets",
    "int_insight__risk_cells",
    "int_insight__risk_set_totals",
    "int_insight__arm_totals",
    "int_insight__contrasts",
    "fct_conversion_by_timing",
)
"""In the order in which they are built."""

TOTALS = (
    "question varchar, cohort_key varchar, workspace_id bigint, journey_id varchar, "
    "experiment_key varchar, population varchar, stratum varchar, metric_key varchar, arm varchar, "
    "allocation_version bigint, count_units bigint, count_persons bigint, count_events bigint"
)
TABLES = {
    "int_experiments__people": "experiment_key varchar, person_id varchar, arm varchar, "
    "allocation_version bigint, exclusion_reason varchar, is_mature boolean, "
    "assigned_at timestamp, window_ends_at timestamp",
    "int_experiments__arms": "experiment_key varchar, arm varchar, control_arm varchar, "
    "kind varchar, workspace_id bigint, campaign_id bigint, primary_metric varchar, "
    "allocation_version bigint, planned_n bigint, alpha double, z_critical double, "
    "analysis_at timestamp",
    "int_experiments__verdicts": "experiment_key varchar, population varchar, has_srm boolean, "
    "crossover_rate varchar, contamination varchar, late_label varchar, "
    "allocation_changed varchar, winner_picked varchar, outcome_visibility varchar, "
    "definition_changed varchar, cluster varchar, is_current boolean",
    "int_journeys__entries": "workspace_id bigint, journey_id varchar, person_id varchar, "
    "entered_at timestamp",
    "int_journeys__deliveries": "workspace_id bigint, delivery_id varchar, person_id varchar, "
    "journey_entry_id varchar, journey_id varchar, message_id varchar, channel varchar, "
    "exposure_kind varchar, minutes_since_trigger bigint, exposed_at timestamp",
    "int_identity__behavior_events": "person_id varchar, behavior varchar, occurred_at timestamp",
    "fct_intent_tiers": "person_id varchar, intent_tier varchar, entered_at timestamp, "
    "exited_at timestamp",
    "metrics": "metric_key varchar, behavior varchar, aggregation varchar",
    "int_journeys__journey_names": "workspace_id bigint, journey_id varchar, journey_name varchar",
    "int_journeys__message_names": "workspace_id bigint, message_id varchar, message_name varchar",
    "int_insight__funnel_totals": TOTALS,
    "int_insight__landmark_totals": TOTALS,
    "int_insight__pressure_totals": TOTALS,
}


@dataclass(frozen=True)
class Effects:
    """What a message adds: the share of those it reaches who order because of it."""

    early: float = 0.0
    late: float = 0.0
    mail: float = 0.0


def later(rate: float, minutes: float) -> float:
    """Of those who have not ordered so long after the trigger, who does later on their own."""
    left = rate * np.exp(-minutes / MEAN_WAIT)
    return float(left / (1 - rate + left))


def planted(arm: str, effects: Effects) -> float:
    """The difference among those who have seen the shipping rates when the text comes."""
    effect = getattr(effects, arm)
    return float(REACHED * effect * (1 - later(RATES[True], TEXTED_AFTER[arm] + JITTER / 2)))


@dataclass
class Rows:
    """Columns of one world's relations."""

    people: dict[str, Any]
    deliveries: dict[str, Any]
    behavior: dict[str, Any]
    tiers: dict[str, Any]


def world(seed: int, effects: Effects, people: int) -> Rows:
    """One brand."""
    draw = np.random.default_rng(seed)
    key = f"w{seed:06d}"
    ids = np.array([f"{key}-{number:05d}" for number in range(people)])
    arm = draw.choice(list(ARMS), size=people, p=list(ARMS.values()))
    start = np.floor(draw.uniform(0, 100, people) * 1440)  # the last of them came too late
    first_seen = draw.uniform(-120, -5, people)
    second_seen = draw.uniform(35, 200, people)
    kind = draw.uniform(size=people)
    sees_early, sees_late = kind < SEEN, (kind >= SEEN) & (kind < SEEN + SEEN_LATE)
    seen_at = np.where(sees_early, first_seen, np.where(sees_late, second_seen, np.inf))
    rate = np.where(sees_early | sees_late, RATES[True], RATES[False])
    orders = draw.uniform(size=people) < rate
    order_at = np.where(orders, draw.exponential(MEAN_WAIT, people), np.inf)

    sends = []
    for name, text, effect in (
        ("text", np.select([arm == "early", arm == "late"], [30.0, 240.0], np.inf), None),
        ("mail", np.where(arm == "holdout", np.inf, MAILED_AFTER), effects.mail),
    ):
        at = text + draw.uniform(0, JITTER, people)
        reached = draw.uniform(size=people) < REACHED
        is_sent = reached & np.isfinite(at) & (order_at > at)
        if name == "text":
            is_sent &= seen_at < at
        strength = (
            np.where(arm == "early", effects.early, effects.late) if effect is None else effect
        )
        moved = is_sent & ~np.isfinite(order_at) & (draw.uniform(size=people) < strength)
        order_at = np.where(moved, at + draw.uniform(1, 1440, people), order_at)
        sends.append((name, at, is_sent))

    again = draw.uniform(size=people) < 0.1  # a second pass, three days later
    tier = np.where(
        draw.uniform(size=people) < np.where(sees_early, 0.7, 0.2),
        "high",
        np.where(draw.uniform(size=people) < 0.5, "warm", "cold"),
    )
    begins = AS_OF - timedelta(days=100)

    def instants(minutes: Any) -> list[datetime]:
        return [begins + timedelta(seconds=round(float(one) * 60)) for one in minutes]

    parts: list[dict[str, Any]] = []
    for name, at, is_sent in sends:
        for number, delay in ((1, 0.0), (2, 4320.0)):
            who = is_sent if number == 1 else is_sent & again & (order_at > at + delay)
            parts.append(
                {
                    "delivery_id": [f"{one}-{name}-{number}" for one in ids[who]],
                    "person_id": ids[who],
                    "journey_entry_id": [f"{one}-{number}" for one in ids[who]],
                    "message_id": [f"action:{name}"] * int(who.sum()),
                    "minutes_since_trigger": np.floor(at[who]).astype("int64"),
                    "exposed_at": instants((start + at + delay)[who]),
                }
            )
    seen, bought = np.isfinite(seen_at), np.isfinite(order_at)
    return Rows(
        people={
            "experiment_key": [key] * people,
            "person_id": ids,
            "arm": arm,
            "is_mature": start + WINDOW <= 100 * 1440,
            "assigned_at": instants(start),
            "window_ends_at": instants(start + WINDOW),
        },
        deliveries={
            name: np.concatenate([np.asarray(part[name]) for part in parts]) for name in parts[0]
        }
        | {"journey_id": [str(seed)] * sum(len(part["person_id"]) for part in parts)},
        behavior={
            "person_id": np.concatenate([ids[seen], ids[bought]]),
            "behavior": ["shipping_viewed"] * int(seen.sum())
            + ["order_placed"] * int(bought.sum()),
            "occurred_at": instants((start + seen_at)[seen]) + instants((start + order_at)[bought]),
        },
        tiers={"person_id": ids, "intent_tier": tier},
    )


def read(
    statements: Mapping[str, str], seeds: Sequence[int], effects: Effects, *, people: int = 2400
) -> list[dict[str, Any]]:
    """Every row of the mart, over the worlds of these seeds."""
    with ByHand(statements, MODELS, TABLES) as made:
        for seed in seeds:
            _insert(made, seed, world(seed, effects, people))
        made.insert("metrics", [("order_rate", "order_placed", "any")])
        made.build()
        return made.rows(MODELS[-1])


def _insert(made: ByHand, seed: int, rows: Rows) -> None:
    key = f"w{seed:06d}"
    for name, columns, more in (
        ("int_experiments__people", rows.people, "1 as allocation_version"),
        (
            "int_journeys__deliveries",
            rows.deliveries,
            "1 as workspace_id, 'sms' as channel, 'real' as exposure_kind",
        ),
        ("int_identity__behavior_events", rows.behavior, ""),
        ("fct_intent_tiers", rows.tiers, "timestamp '1970-01-01' as entered_at"),
    ):
        made.insert_table(name, pa.table(columns), more)
    fixed = ("holdout", "journey_holdout", 1, seed, "order_rate", 1, None, 0.05, Z, AS_OF)
    made.insert("int_experiments__arms", [(key, arm, *fixed) for arm in ARMS])
    made.insert("int_experiments__verdicts", [(key, "itt", False, *["ok"] * 8, True)])
