"""Credit beside cause, timing, funnel, reorder windows, triage and pressure, from files to marts.

Figures: docs/insight.md and the verification cases V10, V12, V22, V23 and V25.
"""

from __future__ import annotations

from typing import Any

import duckdb
import insight_cases
import pytest
from insight_cases import AS_OF
from lifelines import KaplanMeierFitter
from scipy.stats import norm
from statsmodels.stats.proportion import confint_proportions_2indep

from pipelines.console import Console
from pipelines.loading import load
from pipelines.settings import Settings
from pipelines.warehouse import build

Row = dict[str, Any]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Every case loaded and built once."""
    folder = tmp_path_factory.mktemp("insight")
    export, seeds = insight_cases.write(folder)
    settings = Settings(_env_file=None).model_copy(  # type: ignore[call-arg]
        update={"home": folder / "home"}
    )
    console = Console(as_json=True)
    assert load([str(export)], settings, console).failure is None
    build(settings, console, as_of=AS_OF, registries=seeds)
    return settings


def ask(settings: Settings, query: str) -> list[Row]:
    with duckdb.connect(str(settings.warehouse_path), read_only=True) as connection:
        cursor = connection.execute(query)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def only(settings: Settings, query: str) -> Row:
    rows = ask(settings, query)
    assert len(rows) == 1
    return rows[0]


def newcombe(count_1: int, units_1: int, count_0: int, units_0: int) -> tuple[float, float]:
    low, high = confint_proportions_2indep(count_1, units_1, count_0, units_0, method="newcomb")
    return float(low), float(high)


def credit_of(home: Settings, case: str) -> Row:
    journey = insight_cases.journey_of(case)
    return only(home, f"select * from marts.fct_journey_credit where journey_id = '{journey}'")


def funnel_of(home: Settings, where: str) -> list[Row]:
    return ask(home, f"select * from marts.fct_checkout_funnel where {where} order by step_number")


def test_last_click_stands_beside_what_was_caused(home: Settings) -> None:
    row = credit_of(home, "credit")
    assert (row["count_entries"], row["count_persons"]) == (10_000, 10_000)
    assert row["count_claimed_conversions"] == 500
    assert row["count_last_click_orders"] == 400  # the 100 scanners earn nothing
    assert row["count_last_click_units"] == 400
    assert row["count_last_exposure_orders"] == 720
    assert row["last_click_value"] == 20_000
    assert row["incremental"] == pytest.approx(90)
    assert row["incremental_low"] == pytest.approx(-75.03, abs=0.01)
    assert row["incremental_high"] == pytest.approx(228.20, abs=0.01)
    assert (row["status"], row["verdict"]) == ("ok", "not distinguishable from zero")


def test_a_trap_earns_no_credit(home: Settings) -> None:
    row = credit_of(home, "trapped")
    assert row["count_last_click_orders"] == 0
    assert row["count_last_exposure_orders"] == 115
    assert row["count_claimed_conversions"] == 0


def test_a_journey_without_a_control_says_so(home: Settings) -> None:
    row = credit_of(home, "undrawn")
    assert (row["count_entries"], row["count_persons"]) == (15, 14)
    assert (row["count_last_click_orders"], row["last_click_value"]) == (1, 20)
    assert (row["status"], row["verdict"], row["incremental"]) == ("no control", "no control", None)


def test_two_variants_are_no_control(home: Settings) -> None:
    row = credit_of(home, "variants")
    assert (row["experiment_key"], row["status"], row["lift"]) == (None, "no control", None)


def test_a_failed_ratio_leaves_credit_without_a_headline(home: Settings) -> None:
    row = credit_of(home, "broken")
    assert row["count_last_click_orders"] == 40
    assert (row["status"], row["reasons"], row["verdict"]) == ("invalid", "srm", "no headline")
    assert row["incremental"] is None
    assert all(
        step["status"] == "invalid" and step["difference"] is None
        for step in funnel_of(home, "experiment_key = 'broken' and arm = 'treatment'")
    )


def test_an_order_is_credited_once(home: Settings) -> None:
    totals = only(
        home,
        """
        select
            (select count(*) from segments.int_segments__orders) as orders,
            sum(count_last_click_orders) as clicks,
            sum(count_last_exposure_orders) as exposures
        from marts.fct_journey_credit
        """,
    )
    assert totals["clicks"] == 400 + 1 + 40
    assert totals["clicks"] <= totals["exposures"] <= totals["orders"]


def test_the_funnel_is_ordered_and_strict(home: Settings) -> None:
    for arm, reached, dropped in (
        ("treatment", [4, 2, 1, 1], [0, 2, 1, 0]),
        ("holdout", [2, 1, 1, 0], [0, 1, 0, 1]),
    ):
        steps = funnel_of(home, f"experiment_key = 'funnel' and arm = '{arm}'")
        assert [step["count_persons"] for step in steps] == reached
        assert [step["count_dropped"] for step in steps] == dropped
        assert {step["difference"] for step in steps} == {None}
    assert {step["status"] for step in funnel_of(home, "experiment_key = 'funnel'")} == {
        "insufficient",
        "control",
    }


def test_everybody_drops_off_at_the_first_missing_step(home: Settings) -> None:
    rows = ask(
        home,
        """
        select persons.customer_id, funnels.drop_off_step
        from insight.int_insight__funnels as funnels
        inner join marts.dim_persons as persons on funnels.person_id = persons.person_id
        where funnels.experiment_key = 'funnel'
        """,
    )
    assert {row["customer_id"]: row["drop_off_step"] for row in rows} == {
        "c_walked": None,
        "c_shipping_only": "payment_viewed",
        "c_no_shipping": "shipping_viewed",
        "c_backwards": "shipping_viewed",
        "c_to_payment": "order_placed",
        "c_straight": "shipping_viewed",
    }


def test_steps_differ_by_newcombe_and_the_last_one_is_the_lift(home: Settings) -> None:
    steps = funnel_of(home, "experiment_key = 'credit' and arm = 'treatment'")
    low, high = newcombe(720, 9000, 70, 1000)
    for step in steps:
        assert (step["status"], step["interval_kind"]) == ("ok", "fixed")
        assert step["difference"] == pytest.approx(0.01, abs=1e-9)
        assert (step["difference_low"], step["difference_high"]) == pytest.approx((low, high))
    lift = only(
        home,
        """
        select * from marts.fct_lift
        where experiment_key = 'credit' and metric_key = 'order_rate'
            and population = 'itt' and stratum = 'all'
        """,
    )
    for name in ("", "_low", "_high"):
        assert steps[-1][f"difference{name}"] == pytest.approx(lift[f"lift{name}"], abs=1e-12)


def test_a_journey_without_an_experiment_has_a_funnel_since_entry(home: Settings) -> None:
    steps = funnel_of(home, f"journey_id = '{insight_cases.journey_of('undrawn')}'")
    assert {step["count_units"] for step in steps} == {13}  # the young one is not over yet
    assert [step["count_persons"] for step in steps] == [1, 0, 0, 0]
    assert {(step["status"], step["difference"]) for step in steps} == {("no control", None)}


def timing_of(home: Settings, key: str) -> dict[str | None, Row]:
    rows = ask(home, f"select * from marts.fct_message_timing where experiment_key = '{key}'")
    return {row["landmark"]: row for row in rows}


def test_timing_shows_no_effect_where_there_is_none(home: Settings) -> None:
    rows = timing_of(home, "timing_trap")
    four = rows["4 hours"]
    assert (four["count_persons"], four["count_units"]) == (270, 8370)
    assert (four["count_persons_control"], four["count_units_control"]) == (30, 930)
    assert four["difference"] == pytest.approx(0, abs=1e-12)
    assert (four["difference_low"], four["difference_high"]) == pytest.approx(
        newcombe(270, 8370, 30, 930)
    )
    assert (four["status"], four["is_selected"]) == ("ok", True)
    one = rows["1 hours"]
    assert (one["count_persons"], one["count_units"], one["is_selected"]) == (540, 8640, False)


def test_timing_never_sorts_people_by_when_they_were_sent(home: Settings) -> None:
    bases = ask(home, "select distinct basis from marts.fct_message_timing order by basis")
    assert [row["basis"] for row in bases] == ["landmark", "randomised"]
    arms = ask(
        home,
        "select distinct arm, control_arm from marts.fct_message_timing "
        "where experiment_key = 'timing_trap'",
    )
    assert arms == [{"arm": "treatment", "control_arm": "holdout"}]
    # 630 people were never sent the SMS and all of them bought: nobody is compared with them.
    rates = ask(home, "select max(rate) as highest from marts.fct_message_timing")
    assert rates[0]["highest"] < 0.5


def test_a_drawn_delay_is_read_as_drawn(home: Settings) -> None:
    rows = timing_of(home, "delays")
    assert set(rows) == {None}
    drawn = rows[None]
    assert (drawn["basis"], drawn["arm"], drawn["control_arm"]) == (
        "randomised",
        "one_day",
        "one_hour",
    )
    assert drawn["difference"] == pytest.approx(0.03, abs=1e-12)
    assert (drawn["difference_low"], drawn["difference_high"]) == pytest.approx(
        newcombe(80, 1000, 50, 1000)
    )


def test_the_first_message_is_read_against_its_ghosts(home: Settings) -> None:
    row = timing_of(home, "trapped")["first message"]
    assert (row["population"], row["is_selected"]) == ("ghost_reached", False)
    assert (row["count_persons"], row["count_units"]) == (115, 1440)
    assert (row["count_persons_control"], row["count_units_control"]) == (16, 160)
    assert (row["difference_low"], row["difference_high"]) == pytest.approx(
        newcombe(115, 1440, 16, 160)
    )
    assert "first message" not in timing_of(home, "timing_trap")


def window_of(home: Settings, workspace: int, category: str) -> Row:
    return only(
        home,
        f"select * from marts.fct_replenishment_windows where workspace_id = {workspace} "
        f"and category = '{category}'",
    )


def curve_of(home: Settings, category: str) -> dict[int, float]:
    rows = ask(
        home,
        f"""
        select gap_days, survival from insight.int_insight__reorder_curves
        where workspace_id = 2 and category = '{category}' and count_reorders > 0
        """,
    )
    return {row["gap_days"]: row["survival"] for row in rows}


def test_the_reorder_curve_is_kaplan_and_meiers(home: Settings) -> None:
    curve = curve_of(home, "leukaemia")
    assert curve == pytest.approx(
        {6: 0.8571, 7: 0.8067, 10: 0.7529, 13: 0.6902, 16: 0.6275, 22: 0.5378, 23: 0.4482},
        abs=5e-5,
    )
    gaps = insight_cases.read("reorders")["gaps"][0]["days"].split()
    fitted = KaplanMeierFitter().fit(
        [int(gap.rstrip("+")) for gap in gaps], [not gap.endswith("+") for gap in gaps]
    )
    for day, survival in curve.items():
        assert survival == pytest.approx(float(fitted.predict(day)), abs=1e-12)
    row = window_of(home, 2, "leukaemia")
    assert (row["median_day"], row["naive_median_days"]) == (23, 10)
    assert row["count_reorders"] == 9


def test_open_gaps_push_the_window_out(home: Settings) -> None:
    assert curve_of(home, "coffee")[40] == pytest.approx(0.413636, abs=1e-6)
    row = window_of(home, 2, "coffee")
    assert (row["quartile_day"], row["median_day"]) == (28, 35)
    assert row["sixtieth_percentile_day"] is None
    assert row["naive_median_days"] == 28.5


def test_few_gaps_borrow_from_all_categories_or_suggest_nothing(home: Settings) -> None:
    own = window_of(home, 2, "filters")
    assert (own["basis"], own["status"], own["reasons"]) == ("own gaps", "ok", "")
    assert (own["count_reorders"], own["trigger_day"], own["window_end_day"]) == (30, 20, 20)
    everything = window_of(home, 2, "all categories")
    coffee = window_of(home, 2, "coffee")
    assert (coffee["basis"], coffee["status"], coffee["reasons"]) == (
        "all categories",
        "ok",
        "few_gaps",
    )
    assert coffee["trigger_day"] == everything["quartile_day"] != coffee["quartile_day"]
    alone = window_of(home, 3, "filters")
    assert (alone["count_reorders"], alone["basis"], alone["status"]) == (
        29,
        "none",
        "insufficient",
    )
    assert (alone["trigger_day"], alone["window_end_day"]) == (None, None)


def test_a_reminder_moves_the_curve_by_the_logrank(home: Settings) -> None:
    row = only(
        home,
        "select * from insight.int_insight__reorder_logranks where experiment_key = 'curves'",
    )
    assert (row["category"], row["count_treatment"], row["count_control"]) == ("tablets", 21, 21)
    assert (row["count_reorders_treatment"], row["count_reorders_control"]) == (9, 21)
    assert row["logrank_z"] == pytest.approx(-4.0979, abs=5e-5)
    assert 2 * norm.sf(abs(row["logrank_z"])) == pytest.approx(4.17e-5, abs=5e-8)
    # Nine reorders are too few to be told.
    told = only(
        home, "select * from marts.fct_replenishment_effects where experiment_key = 'curves'"
    )
    assert (told["status"], told["reasons"]) == ("insufficient", "few_events")
    assert (told["verdict"], told["logrank_z"]) == ("no headline", None)


def test_triage_sends_where_the_lower_limit_pays(home: Settings) -> None:
    rows = ask(
        home,
        "select * from marts.fct_reactivation_triage where workspace_id = 1 order by triage_rank",
    )
    assert {row["experiment_key"] for row in rows} == {"winback"}
    high, cold = rows
    assert (high["intent_tier"], high["count_persons"]) == ("high", 30)
    low, upper = newcombe(200, 1000, 100, 1000)
    cost = 0.0008
    assert high["cost_per_person"] == pytest.approx(cost)
    assert high["net_margin"] == pytest.approx(0.1 * 40 * 0.5 - cost)
    assert high["net_margin_low"] == pytest.approx(low * 40 * 0.5 - cost)
    assert high["net_margin_high"] == pytest.approx(upper * 40 * 0.5 - cost)
    assert (high["verdict"], high["status"]) == ("send", "ok")
    assert (cold["intent_tier"], cold["count_persons"]) == ("cold", 3600)
    assert cold["net_margin_low"] < 0 < cold["net_margin_high"]
    assert cold["verdict"] == "test next"


def pressure_of(home: Settings, arm: str) -> dict[str, Row]:
    rows = ask(
        home,
        "select * from marts.fct_message_pressure "
        f"where experiment_key = 'trapped' and arm = '{arm}'",
    )
    return {row["measure"]: row for row in rows}


def test_pressure_counts_what_reached_people(home: Settings) -> None:
    treatment, holdout = pressure_of(home, "treatment"), pressure_of(home, "holdout")
    assert {measure: row["count_events"] for measure, row in treatment.items()} == {
        "messages": 1540,
        "marketing_messages": 1440,
        "transactional_messages": 100,
        "unsubscribed": 60,
        "complained": 5,
        "bounced": 0,
    }
    # 160 trapped messages and what the trap did with them are nobody's.
    assert {measure: row["count_events"] for measure, row in holdout.items()} == {
        "messages": 32,
        "marketing_messages": 12,
        "transactional_messages": 20,
        "unsubscribed": 12,
        "complained": 0,
        "bounced": 0,
    }
    assert treatment["messages"]["events_per_person"] == pytest.approx(1540 / 1800)


def test_guardrails_differ_only_where_there_is_enough(home: Settings) -> None:
    treatment = pressure_of(home, "treatment")
    unsubscribed, complained = treatment["unsubscribed"], treatment["complained"]
    assert unsubscribed["difference"] == pytest.approx(60 / 1800 - 12 / 200)
    assert (unsubscribed["difference_low"], unsubscribed["difference_high"]) == pytest.approx(
        newcombe(60, 1800, 12, 200)
    )
    assert (complained["status"], complained["reasons"]) == ("insufficient", "few_events")
    assert (complained["difference"], complained["count_persons"]) == (None, 5)
