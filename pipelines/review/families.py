"""The families of figures on the weekly page: which relation has them, under which name.

A name is `<family>/<key>/…/<column>`: which rows of the page's JSON, which of them, which column.
The registry `FAMILIES` is the only place that knows a name.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Family:
    """Figures that stand in the same place of the page's JSON.

    Attributes:
        name: first part of their names.
        at: where the JSON holds their rows; `[]` stands for every element of a list.
        source: the relation that has them as columns.
        keys: columns that name a row.
        columns: which columns are figures; all numbers besides the keys when empty.
        headline: the column that is told first.
        where: which rows of the relation a name can mean.
        listed: which of these rows are listed here, when others are another family's.
        beside: columns without which a figure must not be told.
        rests_on: the relations that hold the rows beneath, the first of them those that are
            counted; where none is named, rows with the same keys are looked for one step away.
        recount: the statement in `recounts/` that counts the figure again from them; its columns
            are compared with those of the same name. Without one, the rows with the same keys are
            counted.
        rows: which of these count.
    """

    name: str
    at: str
    source: str
    keys: tuple[str, ...]
    columns: tuple[str, ...] = ()
    headline: str = ""
    where: str = ""
    listed: str = "true"
    beside: tuple[str, ...] = ()
    rests_on: tuple[str, ...] = ()
    recount: str = ""
    rows: str = ""


def _periods(*counts: str) -> tuple[str, ...]:
    return tuple(f"{name}{period}" for period in ("_week", "_previous_week", "") for name in counts)


_UNITS = ("fct_experiment_units", "int_experiments__people", "int_experiments__arms")
_LIFT_BESIDE = ("lift", "lift_low", "lift_high", "p_value", "q_value")
_DECISION = "population = 'itt' and stratum = 'all'"
_ARM = ("experiment_key", "arm")
_JOURNEY = ("workspace_id", "journey_id")

FAMILIES = (
    Family(
        "lift",
        "estimates",
        "fct_lift",
        ("experiment_key", "metric_key", "arm"),
        headline="lift",
        where=_DECISION,
        beside=_LIFT_BESIDE,
        rests_on=_UNITS,
        recount="units",
    ),
    Family(
        "lift_by_stratum",
        "estimates",
        "fct_lift",
        ("experiment_key", "metric_key", "arm", "population", "stratum"),
        headline="lift",
        listed=f"not ({_DECISION})",
        beside=_LIFT_BESIDE,
        rests_on=_UNITS,
        recount="units",
    ),
    Family(
        "lift_history",
        "history",
        "fct_lift_history",
        ("experiment_key", "metric_key", "arm", "as_of"),
        columns=("lift", "lift_low", "lift_high"),
        where=_DECISION,
        beside=_LIFT_BESIDE,
        rests_on=_UNITS,
        recount="units",
    ),
    Family(
        "effect_on_the_reached",
        "optional.fct_effect_on_the_reached",
        "fct_effect_on_the_reached",
        ("experiment_key", "metric_key", "arm", "stratum"),
        headline="effect",
        beside=("effect", "effect_low", "effect_high"),
    ),
    Family(
        "health", "health", "fct_experiment_health", ("experiment_key", "population", "guardrail")
    ),
    Family(
        "experiment",
        "experiments",
        "experiments",
        ("experiment_key",),
        columns=("planned_n", "alpha", "window_hours"),
    ),
    Family(
        "arm",
        "arms",
        "experiment_arms",
        ("experiment_key", "arm", "allocation_version"),
        columns=("weight",),
    ),
    Family(
        "assigned",
        "assignments",
        "fct_review_arms",
        _ARM,
        rests_on=("fct_experiment_assignments", "experiment_arms"),
        recount="assigned",
    ),
    Family(
        "reach",
        "reach",
        "fct_review_reach",
        _ARM,
        rests_on=("fct_experiment_units",),
        recount="reach",
    ),
    Family(
        "card",
        "cards",
        "fct_review_cards",
        _JOURNEY,
        columns=(
            *("lift", "lift_low", "lift_high", "guardrail_value", "guardrail_threshold"),
            *("count_mature", "count_week", "planned_n", "count_entries_told"),
            *("count_readings", "card_rank"),
        ),
        beside=("decision", "reason"),
    ),
    Family("tile", "tiles", "fct_review_tiles", (*_JOURNEY, "weeks_ago")),
    Family(
        "naive",
        "contrasts",
        "fct_review_naive_ratios",
        _ARM,
        rests_on=("fct_experiment_units", "experiments", "fct_message_exposures", "fct_lift"),
        recount="naive",
    ),
    Family("size", "sizes", "fct_review_sizes", _ARM),
    Family(
        "match_rate",
        "match_rates",
        "fct_identity_match_rate",
        ("workspace_id",),
        headline="match_rate",
        rests_on=("dim_persons",),
        recount="match_rate",
    ),
    Family(
        "match_rate_by_arm",
        "match_rates_by_arm",
        "fct_review_arm_match_rates",
        _ARM,
        rests_on=("fct_identity_match_rate_by_arm",),
        recount="match_rate_by_arm",
    ),
    Family(
        "entries",
        "journeys",
        "fct_review_journeys",
        _JOURNEY,
        columns=(*_periods("count_entries"), "change_entries"),
        rests_on=("fct_journey_entries",),
        recount="entries",
    ),
    Family(
        "exposures",
        "journeys",
        "fct_review_journeys",
        _JOURNEY,
        columns=(
            *_periods("count_real", "count_ghost", "count_none", "count_clicked"),
            *_periods("click_through"),
            *("change_real", "change_ghost", "change_none"),
            *("count_real_trend", "count_ghost_trend", "count_none_trend"),
        ),
        rests_on=("fct_message_exposures", "fct_review_weeks"),
        recount="exposures",
    ),
    Family(
        "claims",
        "journeys",
        "fct_review_journeys",
        _JOURNEY,
        columns=_periods("count_claimed"),
        rests_on=("fct_goal_conversions",),
        recount="claims",
    ),
    Family(
        "message",
        "journeys[].messages",
        "fct_review_messages",
        (*_JOURNEY, "message_id"),
        rests_on=("fct_message_exposures",),
        recount="message",
    ),
    Family(
        "not_shown",
        "journeys[].reasons",
        "fct_review_not_shown",
        (*_JOURNEY, "not_exposed_reason"),
        rests_on=("fct_message_exposures",),
        recount="not_shown",
    ),
    Family(
        "trend",
        "journeys[].trend",
        "fct_review_exposure_weeks",
        (*_JOURNEY, "exposure_kind", "weeks_ago"),
        rests_on=("fct_message_exposures",),
        recount="trend",
    ),
    Family(
        "other_message",
        "other_messages",
        "fct_review_other_messages",
        ("workspace_id", "message_type", "message_id"),
        rests_on=("fct_message_exposures",),
        recount="other_message",
    ),
    Family(
        "audience",
        "audience_counts",
        "fct_audiences",
        ("audience_key",),
        columns=(
            "count_members",
            "count_in_segment",
            "count_held_out",
            "count_entered_week",
            "count_left_week",
        ),
        rests_on=("fct_audience_members", "fct_segment_memberships", "dim_persons"),
        recount="audience",
    ),
    Family(
        "parity",
        "audience_parity",
        "fct_audience_parity",
        ("audience_key",),
        headline="jaccard",
        beside=("verdict",),
        rests_on=("int_audiences__compared_members",),
        recount="parity",
    ),
    Family(
        "funnel",
        "optional.fct_checkout_funnel",
        "fct_checkout_funnel",
        (*_JOURNEY, *_ARM, "step"),
        columns=(
            "rate",
            "count_units",
            "count_persons",
            "count_dropped",
            "rate_control",
            "difference",
            "difference_low",
            "difference_high",
        ),
        beside=("difference", "difference_low", "difference_high"),
        rests_on=("int_insight__funnels",),
        recount="funnel",
    ),
    Family(
        "drop",
        "checkout_drops",
        "fct_review_checkout_drops",
        (*_JOURNEY, *_ARM),
        beside=("step",),
        rests_on=("int_insight__funnels",),
        recount="drop",
    ),
    Family(
        "timing",
        "optional.fct_message_timing",
        "fct_message_timing",
        (*_ARM, "basis", "landmark"),
        headline="difference",
        beside=("difference", "difference_low", "difference_high", "is_selected"),
    ),
    Family(
        "conversion",
        "optional.fct_conversion_by_timing",
        "fct_conversion_by_timing",
        (*_JOURNEY, *_ARM, "message_id", "sent_after", "state_kind", "state"),
        headline="difference",
        beside=("difference", "difference_low", "difference_high", "finding"),
    ),
    Family(
        "value",
        "optional.fct_message_value",
        "fct_message_value",
        (*_ARM, "message_id", "channel"),
        headline="net_per_message",
        beside=("net_per_message", "net_per_message_low", "net_per_message_high", "verdict"),
    ),
    Family(
        "over_credit",
        "optional.fct_credit_over_cause",
        "fct_credit_over_cause",
        (*_JOURNEY, *_ARM, "tool"),
        headline="count_credited",
        beside=("incremental", "incremental_low", "incremental_high", "verdict"),
    ),
    Family(
        "reorder_effect",
        "optional.fct_replenishment_effects",
        "fct_replenishment_effects",
        (*_ARM, "category"),
        headline="logrank_z",
        beside=("status", "verdict"),
    ),
    Family(
        "triage_audience",
        "optional.fct_triage_audiences",
        "fct_triage_audiences",
        ("audience_key", *_ARM),
        headline="net_margin",
        beside=("net_margin", "net_margin_low", "net_margin_high"),
    ),
    Family(
        "prediction",
        "optional.fct_intent_prediction",
        "fct_intent_prediction",
        ("workspace_id", "reading"),
        headline="area",
        beside=("area", "area_low", "area_high", "verdict"),
    ),
    Family(
        "prediction_level",
        "optional.fct_intent_lift",
        "fct_intent_lift",
        ("workspace_id", "predictor", "level_name"),
        headline="rate",
    ),
    Family(
        "dose",
        "optional.fct_pressure_by_dose",
        "fct_pressure_by_dose",
        (*_JOURNEY, *_ARM, "dose"),
        headline="rate",
        beside=("rise", "rise_low", "rise_high", "verdict"),
    ),
    Family(
        "credit",
        "optional.fct_journey_credit",
        "fct_journey_credit",
        (*_JOURNEY, *_ARM),
        headline="count_last_click_units",
        beside=("incremental", "incremental_low", "incremental_high"),
        rests_on=(
            "int_insight__order_credits",
            "int_insight__cohorts",
            "fct_journey_entries",
            "fct_message_exposures",
        ),
        recount="credit",
    ),
    Family(
        "pressure",
        "optional.fct_message_pressure",
        "fct_message_pressure",
        (*_JOURNEY, *_ARM, "measure"),
        headline="rate",
        beside=("difference", "difference_low", "difference_high"),
        rests_on=("int_insight__pressure", "int_insight__cohorts"),
        recount="pressure",
    ),
    Family(
        "reorder_window",
        "optional.fct_replenishment_windows",
        "fct_replenishment_windows",
        ("workspace_id", "is_all_categories", "category"),
        headline="trigger_day",
        rests_on=("int_insight__reorder_gaps",),
        recount="reorder_window",
    ),
    Family(
        "triage",
        "optional.fct_reactivation_triage",
        "fct_reactivation_triage",
        (
            "workspace_id",
            "lifecycle_stage",
            "frequency_band",
            "ltv_tier",
            "intent_tier",
            *_ARM,
        ),
        headline="net_margin",
        beside=("net_margin", "net_margin_low", "net_margin_high"),
    ),
    Family(
        "segment",
        "segments",
        "dim_segment_versions",
        ("segment_key", "version"),
        columns=("count_members",),
        rests_on=("fct_segment_memberships",),
        recount="segment",
    ),
    Family(
        "freshness",
        "freshness",
        "fct_source_freshness",
        ("family",),
        rests_on=("int_loads__daily_counts",),
        recount="freshness",
    ),
    Family(
        "loads",
        "loads",
        "fct_review_loads",
        ("family",),
        headline="count_rejected_rows",
        rests_on=("load_files", "load_quarantine", "load_rejected_rows"),
        recount="loads",
    ),
)

BY_NAME = {family.name: family for family in FAMILIES}
