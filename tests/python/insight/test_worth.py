"""What predicts orders, and which dose tires people: held to plain arithmetic, and as planted."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime, timedelta
from itertools import product

import numpy as np
import pyarrow as pa
import pytest
from by_hand import ByHand

PREDICTION = ("int_insight__prediction_levels", "fct_intent_prediction")
CELLS = {
    "int_insight__prediction_cells": "workspace_id bigint, tier_level bigint, "
    "silence_level bigint, count_persons bigint, count_ordered bigint, count_others bigint"
}
FATIGUE = ("int_insight__doses", "fct_pressure_by_dose")
GIVEN = {
    "int_insight__cohorts": "cohort_key varchar, workspace_id bigint, journey_id varchar, "
    "experiment_key varchar, arm varchar, person_id varchar, starts_at timestamp, "
    "ends_at timestamp",
    "int_insight__contrasts": "question varchar, metric_key varchar, experiment_key varchar, "
    "arm varchar, status varchar, difference double, difference_low double, "
    "difference_high double",
    "int_journeys__deliveries": "workspace_id bigint, delivery_id varchar, person_id varchar, "
    "exposure_kind varchar, exposed_at timestamp, unsubscribed_at timestamp, spammed_at timestamp",
    "int_journeys__journey_names": "workspace_id bigint, journey_id varchar, journey_name varchar",
}
START = datetime(2026, 1, 5)
Z = 1.959963984540054


def beats(ordered: list[int], others: list[int]) -> tuple[float, list[float], list[float]]:
    """The area, and each unit's share of the other side that it beats: over every pair."""
    won = [[(one > two) + (one == two) / 2 for two in others] for one in ordered]
    return (
        float(np.mean(won)),
        [float(np.mean(row)) for row in won],
        [float(np.mean([row[place] for row in won])) for place in range(len(others))],
    )


def test_the_area_is_that_of_all_pairs(statements: Mapping[str, str]) -> None:
    """Both areas and their difference as DeLong has them, from every person against every other."""
    draw = np.random.default_rng(7)
    people = [
        (tier, silence, ordered)
        for tier, silence, ordered in product((1, 2, 3), (1, 2), (0, 1))
        for _ in range(int(draw.integers(5, 25)) + 20 * (ordered == 0) + 15 * (tier == 3) * ordered)
    ]
    with ByHand(statements, PREDICTION, CELLS) as made:
        made.insert(
            "int_insight__prediction_cells",
            [
                (7, tier, silence, ordered + others, ordered, others)
                for tier, silence in product((1, 2, 3), (1, 2))
                for ordered, others in [
                    (people.count((tier, silence, 1)), people.count((tier, silence, 0)))
                ]
            ],
        )
        made.build()
        told = {row["reading"]: row for row in made.rows("fct_intent_prediction")}
    placed = [
        beats([one[by] for one in people if one[2]], [one[by] for one in people if not one[2]])
        for by in (0, 1)
    ]
    apart = (
        placed[0][0] - placed[1][0],
        [one - two for one, two in zip(placed[0][1], placed[1][1], strict=True)],
        [one - two for one, two in zip(placed[0][2], placed[1][2], strict=True)],
    )
    for reading, (area, ordered, others) in zip(
        ("intent_tier", "silence", "difference"), [*placed, apart], strict=True
    ):
        reach = Z * math.sqrt(
            np.var(ordered, ddof=1) / len(ordered) + np.var(others, ddof=1) / len(others)
        )
        row = told[reading]
        assert row["area"] == pytest.approx(area, abs=1e-12)
        assert row["area_low"] == pytest.approx(area - reach, abs=1e-12)
        assert row["area_high"] == pytest.approx(area + reach, abs=1e-12)
    assert told["difference"]["verdict"] == "the intent tier predicts better"


def doses(statements: Mapping[str, str], seed: int, tired: float) -> dict[str, str]:
    """The verdict at each dose of five messages in four days; some mind more than others."""
    draw = np.random.default_rng(seed)
    people = 1500
    ids = [f"p{number:05d}" for number in range(people)]
    minds = draw.gamma(4.0, 0.01 / 4.0, people)
    there = np.full(people, True)
    sent: list[tuple[str, str, datetime, datetime | None]] = []
    for number in range(1, 6):
        at = START + timedelta(hours=20 * number)
        leaves = there & (draw.uniform(size=people) < minds * (tired if number >= 4 else 1.0))
        sent += [
            (f"{ids[who]}-{number}", ids[who], at, at if leaves[who] else None)
            for who in np.flatnonzero(there)
        ]
        there &= ~leaves
    with ByHand(statements, FATIGUE, GIVEN) as made:
        made.insert_table(
            "int_insight__cohorts",
            pa.table({"person_id": ids}),
            "'c' as cohort_key, 'e' as experiment_key, 't' as arm, "
            f"timestamp '{START}' as starts_at, timestamp '{START}' + interval 7 day as ends_at",
        )
        names = ("delivery_id", "person_id", "exposed_at", "unsubscribed_at")
        columns = dict(zip(names, map(list, zip(*sent, strict=True)), strict=True))
        made.insert_table("int_journeys__deliveries", pa.table(columns), "'real' as exposure_kind")
        made.build()
        return {row["dose"]: row["verdict"] for row in made.rows("fct_pressure_by_dose")}


def test_a_plan_that_tires_people_is_found(statements: Mapping[str, str]) -> None:
    """Four times as many leave from the fourth message on; where none tires, none is said to."""
    found = [doses(statements, seed, tired=4.0)["4 or more"] for seed in range(10)]
    assert found == ["tires people"] * 10
    quiet = [doses(statements, seed, tired=1.0)["4 or more"] for seed in range(10)]
    assert quiet.count("tires people") == 0
    assert set(quiet) <= {"not distinguishable", "does not tire people"}
