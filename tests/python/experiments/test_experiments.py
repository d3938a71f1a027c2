"""The cases of the specification (docs/measurement.md), from load to `fct_lift`."""

from __future__ import annotations

from typing import Any

import experiment_cases as cases
import pytest
from experiment_home import Built, about, limits

from pipelines.built.tables import open_warehouse
from pipelines.review import numbers


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    return Built(cases.specification(), tmp_path_factory.mktemp("specification"))


def test_v01_clean_lift(built: Built) -> None:
    row = built.lift("v01")
    assert [row["mean_treatment"], row["mean_control"]] == about(0.09, 0.06)
    assert limits(row) == about(0.03, 0.0125578, 0.0444490, tolerance=1e-7)
    assert [row["incremental"], row["incremental_low"], row["incremental_high"]] == about(
        270, 113.02, 400.04, tolerance=0.005
    )
    assert [
        row["lift_relative"],
        row["lift_relative_low"],
        row["lift_relative_high"],
    ] == about(0.5, 0.1636, 0.9337, tolerance=5e-5)
    assert row["p_value"] == pytest.approx(0.0014063, abs=5e-8)
    assert (row["interval_kind"], row["status"], row["reasons"]) == ("fixed", "ok", "")
    assert built.health("v01", "srm")["value"] == pytest.approx(0, abs=1e-12)


def test_v02_true_null(built: Built) -> None:
    row = built.lift("v02")
    assert limits(row) == about(0, -0.0182392, 0.0152345, tolerance=1e-7)
    assert row["p_value"] > 0.05


def test_v03_small_holdout_is_refused(built: Built) -> None:
    row = built.lift("v03")
    assert (row["status"], row["reasons"]) == ("insufficient", "few_events")
    told = ["lift", "lift_low", "lift_high", "lift_relative", "incremental", "p_value", "q_value"]
    assert [row[name] for name in told] == [None] * len(told)
    assert (row["count_treatment"], row["count_control"]) == (1800, 200)
    [inside] = built.ask(
        "select newcombe_low, newcombe_high, fixed_p_value "
        "from experiments.int_experiments__inference inner join "
        "experiments.int_experiments__instants using (experiment_key, read_at) "
        "where experiment_key = 'v03' and is_current and metric_key = 'order_rate' "
        "and stratum = 'all'"
    )
    assert [inside["newcombe_low"], inside["newcombe_high"]] == about(-0.0084329, 0.0236111)
    assert inside["fixed_p_value"] == pytest.approx(0.170694, abs=1e-6)


@pytest.mark.parametrize("key", ["v04_short", "v04_long"])
def test_v04_a_skewed_sample_ratio_is_invalid(built: Built, key: str) -> None:
    srm = built.health(key, "srm")
    assert srm["value"] == pytest.approx(11.1111, abs=5e-5)
    assert srm["verdict"] == "invalid"
    row = built.lift(key)
    assert (row["status"], row["lift"], row["p_value"]) == ("invalid", None, None)
    assert "srm" in row["reasons"].split("||")
    assert row["mean_treatment"] == pytest.approx(0.09)


def test_v05_identity_merges_make_no_lift(built: Built) -> None:
    row = built.lift("v05")
    assert (row["count_treatment"], row["count_control"]) == (9000, 1000)
    assert [row["mean_treatment"], row["mean_control"]] == about(0.08, 0.08)
    assert limits(row) == about(0, -0.0192475, 0.0163125, tolerance=1e-7)
    assert built.health("v05", "srm")["value"] == pytest.approx(0, abs=1e-12)
    crossovers = built.health("v05", "crossover_rate")
    assert (crossovers["value"], crossovers["verdict"]) == (pytest.approx(0.036), "warn")
    assert (row["status"], row["reasons"]) == ("ok", "crossover_rate")
    causes = built.ask(
        "select crossover_cause, count(*) as count from marts.fct_experiment_assignments "
        "where experiment_key = 'v05' and is_crossover group by crossover_cause"
    )
    assert causes == [{"crossover_cause": "merge", "count": 360}]


def test_v06_trapped_deliveries_are_ghosts(built: Built) -> None:
    kinds = built.ask(
        "select exposure_kind, count(*) as count from marts.fct_message_exposures "
        f"where workspace_id = {_workspace(built, 'v06')} group by exposure_kind order by 1"
    )
    assert [tuple(kind.values()) for kind in kinds] == [("ghost", 1000), ("real", 9000)]
    assert built.ask(
        "select count(*) as count from marts.fct_experiment_units "
        "where experiment_key = 'v06' and arm = 'holdout' and is_exposed_real"
    ) == [{"count": 0}]
    assert built.health("v06", "contamination")["value"] == 0
    assert limits(built.lift("v06")) == limits(built.lift("v01"))
    assert limits(built.lift("v06", population="ghost_reached")) == limits(built.lift("v01"))


def test_v07_contamination_is_told_and_corrects_the_effect_on_the_reached(built: Built) -> None:
    health = built.health("v07", "contamination")
    assert (health["value"], health["verdict"]) == (pytest.approx(0.05), "warn")
    assert limits(built.lift("v07")) == limits(built.lift("v01"))
    assert built.lift("v07")["reasons"] == "contamination"
    assert _effect(built, "v07")["effect"] == pytest.approx(0.0315789, abs=5e-8)


def test_v08_reentry_counts_once(built: Built) -> None:
    row = built.lift("v08")
    assert limits(row) == limits(built.lift("v02"))
    assert row["status"] == "ok"
    [counts] = built.ask(
        "select count(*) as people, sum(count_assignments) as entries, "
        "count(*) filter (where is_crossover and crossover_cause = 'reentry') as reentries, "
        "count(*) filter (where is_crossover) as crossovers "
        "from marts.fct_experiment_assignments where experiment_key = 'v08'"
    )
    assert (counts["people"], counts["entries"]) == (10_000, 30_000)
    assert counts["reentries"] == counts["crossovers"] > 1_000
    assert built.health("v08", "crossover_rate")["verdict"] == "warn"


def test_v09_immature_units_wait(built: Built) -> None:
    assert limits(built.lift("v09")) == limits(built.lift("v01"))
    assert built.ask(
        "select count(*) as count from marts.fct_experiment_assignments "
        "where experiment_key = 'v09' and not is_mature"
    ) == [{"count": 500}]


def test_v10_last_click_is_not_lift(built: Built) -> None:
    row = built.lift("v10")
    assert [row["incremental"], row["incremental_low"], row["incremental_high"]] == about(
        90, -75.03, 228.20, tolerance=0.005
    )
    assert row["lift_low"] < 0 < row["lift_high"]


def test_v11_effect_on_the_reached(built: Built) -> None:
    assert limits(built.lift("v11")) == about(0.015, -0.000423, 0.027306)
    effect = _effect(built, "v11")
    assert [
        effect["reached_share_treatment"],
        effect["reached_share_control"],
        effect["effect"],
        effect["standard_error"],
    ] == about(0.8, 0, 0.01875, 0.00877402, tolerance=1e-8)


def test_v12_timing_has_no_effect(built: Built) -> None:
    assert built.lift("v12")["lift"] == pytest.approx(0, abs=1e-12)


def test_v13_ghosts_sharpen(built: Built) -> None:
    assert limits(built.lift("v13")) == about(0.006, -0.002677, 0.014104)
    ghosts = built.lift("v13", population="ghost_reached")
    assert (ghosts["count_treatment"], ghosts["count_control"]) == (9000, 1000)
    assert limits(ghosts) == about(0.03, 0.013753, 0.043205)


def test_v14_intent_is_not_lift(built: Built) -> None:
    high = built.lift("v14", stratum="intent_tier=high")
    low = built.lift("v14", stratum="intent_tier=cold")
    assert limits(high) == about(0, -0.058226, 0.046201)
    assert limits(low) == about(0, -0.018020, 0.014094)
    assert (high["mean_treatment"], low["mean_treatment"]) == (
        pytest.approx(0.15),
        pytest.approx(0.05),
    )
    whole = built.lift("v14")
    assert [whole["lift"], whole["mean_treatment"], whole["mean_control"]] == about(0, 0.07, 0.07)
    assert whole["count_treatment"] == high["count_treatment"] + low["count_treatment"]


def test_v15_versions_are_never_pooled(built: Built) -> None:
    weeks = built.lift("v15_weeks")
    assert limits(weeks) == about(0, -0.009896, 0.008682)
    assert weeks["lift"] == pytest.approx(weeks["mean_treatment"] - weeks["mean_control"])
    assert weeks["reasons"] == "allocation_changed"
    [pooled] = built.ask(
        "select avg(y) filter (where arm = 'treatment') - avg(y) filter (where arm = 'holdout') "
        "as difference from marts.fct_experiment_units "
        "where experiment_key = 'v15_weeks' and metric_key = 'order_rate'"
    )
    assert pooled["difference"] == pytest.approx(-0.0238095, abs=5e-8)
    tiers = built.lift("v15_tiers")
    assert tiers["lift"] == pytest.approx(0.02)


def test_units_give_every_lift_again(built: Built) -> None:
    """What `explain number` counts beneath a lift is the lift's own counts and means."""
    rows = {}
    with open_warehouse(built.settings) as tables:
        for figure in numbers.figures(tables):
            if figure.family.name in {"lift", "lift_by_stratum"}:
                rows[figure.family.name, figure.key] = figure
        for figure in rows.values():
            row = figure.row(tables)
            statement = figure.beneath(tables, row)
            assert statement is not None
            counted = numbers.read_row(tables, statement)
            del counted["count_rows"]
            for column, value in counted.items():
                told = row[column]
                is_same = value is None if told is None else value == pytest.approx(told, rel=1e-9)
                assert is_same, column
    assert ("lift", ("v15_weeks", "order_rate", "treatment")) in rows


def test_lift_within_tiers_compares_like_with_like(built: Built) -> None:
    rows = built.ask(
        "select experiment_key, count_cells, lift, lift_low, lift_high "
        "from marts.fct_lift_within_tiers "
        "where metric_key = 'order_rate' and experiment_key in ('v14', 'v15_weeks') order by 1"
    )
    assert [row["count_cells"] for row in rows] == [2, 2]
    assert [row["lift"] for row in rows] == about(0, 0)
    assert limits(rows[1]) == about(0, -0.009896, 0.008682)


def test_v18_published_means(built: Built) -> None:
    row = built.lift("v18", metric="order_value")
    assert row["lift"] == pytest.approx(0.29, abs=1e-9)
    assert (row["lift_low"], row["reasons"]) == (None, "skew")
    [inside] = built.ask(
        "select welch_low, welch_high from experiments.int_experiments__inference "
        "inner join experiments.int_experiments__instants using (experiment_key, read_at) "
        "where experiment_key = 'v18' and is_current and metric_key = 'order_value' "
        "and stratum = 'all'"
    )
    assert [inside["welch_low"], inside["welch_high"]] == about(0.04538, 0.53462, tolerance=5e-6)


@pytest.mark.parametrize(
    ("number", "low", "high"),
    [
        (0, 0.0524, 0.3339),
        (1, 0.1705, 0.8090),
        (2, 0.0582, 0.8062),
        (3, -0.0381, 0.1926),
        (4, -0.1611, 0.2775),
        (5, -0.2775, 0.2775),
        (6, 0.6791, 1.0),
        (7, 0.6075, 1.0),
    ],
)
def test_v20_newcombe_in_sql_and_in_the_library(
    built: Built, number: int, low: float, high: float
) -> None:
    for relation in ("int_experiments__contrasts", "int_experiments__inference"):
        [row] = _contrast(built, relation, f"v20_{number}")
        assert [row["newcombe_low"], row["newcombe_high"]] == about(low, high, tolerance=5e-5)


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    [
        (0, 10, 0.0, 0.277533),
        (1, 10, 0.017876, 0.404150),
        (5, 10, 0.236593, 0.763407),
        (0, 20, 0.0, 0.161125),
        (20, 20, 0.838875, 1.0),
    ],
)
def test_v21_wilson(built: Built, successes: int, trials: int, low: float, high: float) -> None:
    shown = [
        [row[f"wilson_low_{side}"], row[f"wilson_high_{side}"]]
        for number in range(len(cases.PUBLISHED_PAIRS))
        for row in _contrast(built, "int_experiments__contrasts", f"v20_{number}")
        for side in ("treatment", "control")
        if (row[f"sum_{side}"], row[f"count_{side}"]) == (successes, trials)
    ]
    assert shown != []
    assert all(limits == about(low, high) for limits in shown)


def test_v29_outcomes_seen_through_clicks_are_refused(built: Built) -> None:
    health = built.health("v29", "outcome_visibility")
    assert health["verdict"] == "warn"
    assert health["value"] > health["threshold"]
    web = built.lift("v29", metric="web_order_rate")
    assert [web["mean_treatment"], web["mean_control"]] == about(0.034, 0.030)
    assert (web["status"], web["lift"]) == ("invalid", None)
    assert "outcome_visibility" in web["reasons"].split("||")
    served = built.lift("v29")
    assert (served["status"], served["lift"]) == ("ok", pytest.approx(0, abs=1e-12))


def test_history_reads_the_same_sql_at_weekly_instants(built: Built) -> None:
    rows = built.ask(
        "select as_of, count_treatment, lift, interval_kind from marts.fct_lift_history "
        "where experiment_key = 'v01' and metric_key = 'order_rate' and stratum = 'all' "
        "order by as_of"
    )
    assert [row["count_treatment"] for row in rows] == [0, 9000, 9000, 9000, 9000]
    assert [row["interval_kind"] for row in rows] == ["sequence", *["fixed"] * 4]
    assert rows[-1]["as_of"] == cases.AS_OF


def test_q_values_are_the_librarys(built: Built) -> None:
    from oracles import false_discovery_rate

    rows = built.ask(
        "select p_value, q_value from marts.fct_lift "
        "where population = 'itt' and stratum = 'all' and p_value is not null"
    )
    assert len(rows) > 30
    assert [row["q_value"] for row in rows] == pytest.approx(
        false_discovery_rate([row["p_value"] for row in rows]), abs=1e-12
    )


def test_units_hold_every_person_and_metric(built: Built) -> None:
    assert (
        built.ask(
            """
        select lift.experiment_key
        from marts.fct_lift as lift
        inner join (
            select experiment_key, metric_key, arm, count(*) as count_units, avg(y) as mean_y
            from marts.fct_experiment_units where is_mature group by all
        ) as units using (experiment_key, metric_key, arm)
        where lift.population = 'itt' and lift.stratum = 'all'
            and lift.experiment_key not like 'v15%'
            and (count_treatment <> count_units or abs(mean_treatment - mean_y) > 1e-12)
        """
        )
        == []
    )


def _workspace(built: Built, key: str) -> int:
    [row] = built.ask(
        f"select workspace_id from registries.experiments where experiment_key = '{key}'"
    )
    return int(row["workspace_id"])


def _contrast(built: Built, relation: str, key: str) -> list[dict[str, Any]]:
    return built.ask(
        f"select told.* from experiments.{relation} as told "
        "inner join experiments.int_experiments__instants as instants "
        "using (experiment_key, read_at) "
        f"where experiment_key = '{key}' and instants.is_current "
        "and metric_key = 'order_rate' and population = 'itt' and stratum = 'all'"
    )


def _effect(built: Built, key: str) -> dict[str, Any]:
    [row] = built.ask(
        f"select * from marts.fct_effect_on_the_reached where experiment_key = '{key}' "
        "and metric_key = 'order_rate' and stratum = 'all'"
    )
    return row
