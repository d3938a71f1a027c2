"""The families of figures on the weekly page: which relation has them, under which name.

A name is `<family>/<key>/…/<column>`: which rows of the page's JSON, which of them, which column.
The registry `FAMILIES` is the only place that knows a name.
"""

from __future__ import annotations

from pipelines.review import insight
from pipelines.review.family import ARM, JOURNEY, Family


def _periods(*counts: str) -> tuple[str, ...]:
    return tuple(f"{name}{period}" for period in ("_week", "_previous_week", "") for name in counts)


_UNITS = ("fct_experiment_units", "int_experiments__people", "int_experiments__arms")
_LIFT_BESIDE = ("lift", "lift_low", "lift_high", "p_value", "q_value")
_DECISION = "population = 'itt' and stratum = 'all'"
_CHECK = ("experiment_key", "population", "guardrail")

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
        rests_on=_UNITS,
        recount="effect_on_the_reached",
    ),
    Family(
        "health",
        "health",
        "fct_experiment_health",
        _CHECK,
        rests_on=(
            *("int_experiments__people", "int_experiments__arms", "fct_experiment_units"),
            *("int_identity__profiles", "experiments", "experiment_clusters", "metrics"),
            *("dim_segment_versions", "identity_rules"),
        ),
        recount="health",
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
        ARM,
        rests_on=("fct_experiment_assignments", "experiment_arms"),
        recount="assigned",
    ),
    Family(
        "reach",
        "reach",
        "fct_review_reach",
        ARM,
        rests_on=("fct_experiment_units",),
        recount="reach",
    ),
    Family(
        "card",
        "cards",
        "fct_review_cards",
        JOURNEY,
        columns=(
            *("lift", "lift_low", "lift_high", "guardrail_value", "guardrail_threshold"),
            *("count_mature", "count_week", "planned_n", "count_entries_told"),
            *("count_readings", "card_rank", "count_weeks_to_plan", "hours_silent"),
        ),
        beside=("decision", "reason"),
        rests_on=(
            *("fct_experiment_units", "int_experiments__people", "int_experiments__arms"),
            *("fct_experiment_assignments", "fct_experiment_health", "fct_lift", "experiments"),
            *("fct_journey_entries", "fct_review_weeks", "fct_review_cards"),
            *("int_loads__daily_counts", "int_loads__inputs"),
        ),
        recount="card",
    ),
    Family(
        "tile",
        "tiles",
        "fct_review_tiles",
        (*JOURNEY, "weeks_ago"),
        rests_on=(
            *("fct_journey_entries", "fct_message_exposures", "int_insight__funnels"),
            *("int_segments__orders", "int_loads__daily_counts", "int_loads__inputs"),
        ),
        recount="tile",
    ),
    Family(
        "naive",
        "contrasts",
        "fct_review_naive_ratios",
        ARM,
        rests_on=("fct_experiment_units", "experiments", "fct_message_exposures", "fct_lift"),
        recount="naive",
    ),
    Family(
        "size",
        "sizes",
        "fct_review_sizes",
        ARM,
        rests_on=(
            *("fct_experiment_assignments", "experiments", "int_experiments__arms", "metrics"),
            *("fct_lift", "fct_message_exposures", "channel_costs"),
        ),
        recount="size",
    ),
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
        ARM,
        rests_on=("fct_identity_match_rate_by_arm",),
        recount="match_rate_by_arm",
    ),
    Family(
        "entries",
        "journeys",
        "fct_review_journeys",
        JOURNEY,
        columns=(*_periods("count_entries"), "change_entries"),
        rests_on=("fct_journey_entries",),
        recount="entries",
    ),
    Family(
        "exposures",
        "journeys",
        "fct_review_journeys",
        JOURNEY,
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
        JOURNEY,
        columns=_periods("count_claimed"),
        rests_on=("fct_goal_conversions",),
        recount="claims",
    ),
    Family(
        "message",
        "journeys[].messages",
        "fct_review_messages",
        (*JOURNEY, "message_id"),
        rests_on=("fct_message_exposures",),
        recount="messages",
        people="message",
        more="message",
    ),
    Family(
        "not_shown",
        "journeys[].reasons",
        "fct_review_not_shown",
        (*JOURNEY, "not_exposed_reason"),
        rests_on=("fct_message_exposures",),
        recount="not_shown",
    ),
    Family(
        "trend",
        "journeys[].trend",
        "fct_review_exposure_weeks",
        (*JOURNEY, "exposure_kind", "weeks_ago"),
        rests_on=("fct_message_exposures",),
        recount="trend",
    ),
    Family(
        "other_message",
        "other_messages",
        "fct_review_other_messages",
        ("workspace_id", "message_type", "message_id"),
        rests_on=("fct_message_exposures",),
        recount="messages",
        people="other_message",
        more="other_message",
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
        rests_on=("int_audiences__compared_members", "int_audiences__heap_syncs"),
        recount="parity",
    ),
    *insight.FAMILIES,
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
