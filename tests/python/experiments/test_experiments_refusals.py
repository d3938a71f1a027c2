"""Each reason to refuse, each holdout encoding and the global holdout, from load to `fct_lift`."""

from __future__ import annotations

import experiment_refusals as cases
import pytest
from experiment_cases import bucket
from experiment_home import Built


@pytest.fixture(scope="module")
def refused(tmp_path_factory: pytest.TempPathFactory) -> Built:
    return Built(cases.refusals(), tmp_path_factory.mktemp("refusals"))


@pytest.mark.parametrize(
    ("key", "code", "hit", "short"),
    [
        ("srm", "srm", "invalid", "ok"),
        ("crossover_merge_invalid", "crossover_rate", "invalid", "ok"),
        ("crossover_relabel_invalid", "crossover_rate", "invalid", "ok"),
        ("crossover_merge_warn", "crossover_rate", "ok", "ok"),
        ("crossover_reentry_warn", "crossover_rate", "ok", "ok"),
        ("contamination_invalid", "contamination", "invalid", "ok"),
        ("contamination_warn", "contamination", "ok", "ok"),
        ("late_label", "late_label", "invalid", "ok"),
        ("allocation_changed", "allocation_changed", "ok", "ok"),
        ("definition_changed", "definition_changed", "ok", "ok"),
        ("underpowered", "underpowered", "underpowered", "ok"),
        ("immature", "immature", "insufficient", "insufficient"),
        ("few_events", "few_events", "insufficient", "ok"),
        ("few_non_events", "few_events", "insufficient", "ok"),
        ("cluster", "cluster", "insufficient", "ok"),
        ("winner_picked", "winner_picked", "ok", "ok"),
    ],
)
def test_each_reason_fires_and_not_just_short_of_it(
    refused: Built, key: str, code: str, hit: str, short: str
) -> None:
    fired, spared = refused.lift(f"{key}_hit"), refused.lift(f"{key}_short")
    assert (fired["status"], spared["status"]) == (hit, short)
    assert code in fired["reasons"].split("||")
    # Warnings stay below an invalid threshold: only the status is spared there.
    if key not in ("crossover_merge_invalid", "crossover_relabel_invalid",
                   "contamination_invalid", "late_label"):  # fmt: skip
        assert code not in spared["reasons"].split("||")
    assert (fired["lift"] is None) == (hit in ("invalid", "insufficient"))


def test_a_ghost_ratio_touches_only_ghost_rows(refused: Built) -> None:
    assert refused.lift("srm_ghost_hit")["status"] == "ok"
    assert refused.lift("srm_ghost_hit", population="ghost_reached")["status"] == "invalid"
    assert refused.lift("srm_ghost_short", population="ghost_reached")["status"] == "ok"


def test_the_skew_gate_withholds_the_interval_and_keeps_p(refused: Built) -> None:
    hit = refused.lift("skew_hit", metric="order_value")
    short = refused.lift("skew_short", metric="order_value")
    assert (hit["reasons"], hit["p_method"], hit["lift_low"]) == ("skew", "permutation", None)
    assert hit["p_value"] is not None
    assert (short["reasons"], short["p_method"]) == ("", "welch")
    assert short["lift_low"] < short["lift"] < short["lift_high"]


def test_linked_outcomes_are_judged_by_the_gap_between_arms(refused: Built) -> None:
    hit = refused.lift("outcome_visibility_hit", metric="web_order_rate")
    short = refused.lift("outcome_visibility_short", metric="web_order_rate")
    assert (hit["status"], short["status"]) == ("invalid", "ok")
    assert refused.lift("outcome_visibility_hit")["status"] == "ok"


def test_people_after_a_picked_winner_are_no_units(refused: Built) -> None:
    assert refused.lift("winner_picked_hit")["count_treatment"] == 1000
    assert refused.lift("winner_picked_short")["count_treatment"] == 1090


def test_late_labels_are_left_out(refused: Built) -> None:
    assert refused.lift("late_label_short")["count_treatment"] == 990


@pytest.fixture(scope="module")
def encoded(tmp_path_factory: pytest.TempPathFactory) -> Built:
    return Built(cases.encodings(), tmp_path_factory.mktemp("encodings"))


def test_every_encoding_gives_the_same_answer(encoded: Built) -> None:
    rows = encoded.ask(
        "select * exclude (experiment_key, q_value) from marts.fct_lift "
        "where population = 'itt' and stratum = 'all' order by experiment_key, metric_key"
    )
    per_encoding = len({row["metric_key"] for row in rows})
    assert len(rows) == 7 * per_encoding
    assert rows[0]["status"] == "ok"
    for start in range(0, len(rows), per_encoding):
        assert rows[start : start + per_encoding] == rows[:per_encoding]


def test_trapped_encodings_agree_on_ghosts(encoded: Built) -> None:
    rows = encoded.ask(
        "select * exclude (experiment_key, q_value) from marts.fct_lift "
        "where population = 'ghost_reached' and metric_key = 'order_rate' and stratum = 'all'"
    )
    assert len(rows) == 3
    assert rows[0] == rows[1] == rows[2]
    assert encoded.health("by_mailbox", "contamination")["value"] == 0


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> Built:
    return Built(cases.global_holdouts(), tmp_path_factory.mktemp("global_holdouts"))


def test_a_global_holdout_is_drawn_by_hash_over_all_who_can_be_reached(held: Built) -> None:
    drawn = held.ask(
        """
        select identifiers.identifier, assignments.arm, assignments.allocation_version,
            assignments.assigned_at
        from marts.fct_experiment_assignments as assignments
        inner join marts.map_identifiers as identifiers
            on assignments.person_id = identifiers.person_id
                and identifiers.identifier_type = 'customer_id'
        where experiment_key = 'programme' order by 1
        """
    )
    expected = []
    for number in range(4000):
        if number % 100 != 99:
            customer, version = f"g_{number:05d}", 2 if number >= 3000 else 1
            is_held = bucket("g1", customer) < 1000 * version
            expected.append((customer, "held_out" if is_held else "programme", version))
    assert [(r["identifier"], r["arm"], r["allocation_version"]) for r in drawn] == expected
    assert len({row["assigned_at"] for row in drawn}) == 2


def test_journey_lift_leaves_the_global_holdout_out_of_both_arms(held: Built) -> None:
    [counts] = held.ask(
        """
        select count(*) filter (where exclusion_reason = 'global_holdout') as excluded,
            count(distinct arm) filter (where exclusion_reason = 'global_holdout') as arms,
            count(*) as people
        from marts.fct_experiment_assignments where experiment_key = 'journey'
        """
    )
    assert (counts["people"], counts["arms"]) == (2000, 2)
    assert counts["excluded"] > 200
    row = held.lift("journey")
    assert row["count_treatment"] + row["count_control"] == 2000 - counts["excluded"]


def test_programme_lift_sets_the_holdout_against_everybody_else(held: Built) -> None:
    row = held.lift("programme")
    assert row["count_treatment"] + row["count_control"] == 3960
    assert row["reasons"] == "allocation_changed"
    assert held.health("programme", "contamination")["value"] == 0
