"""Each reason to refuse, each holdout encoding and the global holdout, from load to `fct_lift`."""

from __future__ import annotations

import csv
import re
from typing import Any

import duckdb
import experiment_refusals as cases
import pytest
from experiment_cases import bucket, scenarios
from experiment_home import Built

from pipelines.settings import PROJECT_DIR


@pytest.fixture(scope="module")
def refused(tmp_path_factory: pytest.TempPathFactory) -> Built:
    return Built(cases.refusals(), tmp_path_factory.mktemp("refusals"))


@pytest.mark.parametrize(
    "told",
    [told for told in scenarios("refusals") if "status" in told],
    ids=lambda told: str(told["case"]),
)
def test_each_reason_fires_and_not_just_short_of_it(refused: Built, told: dict[str, Any]) -> None:
    fired, spared = (refused.lift(f"{told['case']}_{side}") for side in ("hit", "short"))
    assert [fired["status"], spared["status"]] == told["status"]
    assert told["code"] in fired["reasons"].split("||")
    # Warnings stay below an invalid threshold: only the status is spared there.
    is_spared = told["code"] not in spared["reasons"].split("||")
    assert is_spared is not told.get("still_warns", False)
    assert (fired["lift"] is None) == (fired["status"] in ("invalid", "insufficient"))


def test_every_guardrail_has_a_case_and_a_line() -> None:
    """Whatever the registry can say of an experiment has a pair of fixtures, and is documented."""
    with (PROJECT_DIR / "seeds/guardrails.csv").open() as file:
        registered = {row["code"] for row in csv.DictReader(file) if row["family"]}
    assert {told["code"] for told in scenarios("refusals")} == registered
    page = (PROJECT_DIR / "docs/measurement.md").read_text(encoding="utf-8")
    refusing = page.split("## What makes a row refuse")[1].split("\n## ")[0]
    assert set(re.findall(r"(?m)^\| `(\w+)` \|", refusing)) == registered


PERSON = "person_id = (select min(person_id) from marts.{0})"


@pytest.mark.parametrize(
    ("invariant", "statement"),
    [
        ("assigned_are_units",
         "delete from marts.fct_experiment_units "
         "where metric_key = 'order_rate' and " + PERSON.format("fct_experiment_units")),
        ("the_first_assignment_wins",
         "update marts.fct_experiment_assignments set assigned_at = timestamp '2030-01-01' "
         "where " + PERSON.format("fct_experiment_assignments")),
        ("nobody_is_in_two_arms",
         "update marts.fct_experiment_units set arm = 'other' "
         "where metric_key = 'order_rate' and " + PERSON.format("fct_experiment_units")),
        ("every_arm_is_registered",
         "delete from registries.experiment_arms where experiment_key = 'srm_hit' and is_control"),
        ("health_counts_the_assigned",
         "update marts.fct_experiment_assignments set exclusion_reason = 'late_label' "
         "where " + PERSON.format("fct_experiment_assignments")),
        ("silence_is_not_health",
         "delete from experiments.int_experiments__guardrail_values "
         "where measure = 'cluster' and experiment_key = 'srm_hit'"),
        ("lift_counts_mature_units",
         "update marts.fct_experiment_units set is_mature = not is_mature "
         "where " + PERSON.format("fct_experiment_units")),
    ],
)  # fmt: skip
def test_each_invariant_fails_on_a_broken_row(
    refused: Built, invariant: str, statement: str
) -> None:
    compiled = refused.settings.home / "target/compiled/counterfoil/tests/dbt/experiments"
    query = (compiled / f"assert_{invariant}.sql").read_text()
    with duckdb.connect(str(refused.settings.warehouse_path)) as db:
        assert not db.execute(query).fetchall()
        db.execute("begin")
        db.execute(statement)
        assert db.execute(query).fetchall()
        db.execute("rollback")


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
