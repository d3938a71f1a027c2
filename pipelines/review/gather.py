"""What the weekly page says, read from the marts: rows as they are, nothing counted here.

Every function returns plain rows. A relation that is not built gives no rows, and is named in
`Tables.missing`. The week is the first of `fct_review_weeks`; experiments are cumulative.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from pipelines.built.tables import Record, Tables, attach_ledger, open_warehouse, read_as_of
from pipelines.errors import CounterfoilError
from pipelines.review.basis import read_basis, read_vars
from pipelines.review.guardrails import Guardrails, read_guardrails
from pipelines.settings import Settings
from pipelines.sql import names_in

OPTIONAL = {
    "fct_journey_credit": "workspace_id, journey_id, experiment_key, arm, metric_key",
    "fct_effect_on_the_reached": "experiment_key, arm, metric_key, stratum",
    "fct_checkout_funnel": "workspace_id, journey_id, experiment_key, arm, step_number",
    "fct_message_timing": "workspace_id, journey_id, experiment_key, arm, basis, landmark_hours",
    "fct_conversion_by_timing": "workspace_id, journey_id, experiment_key, arm, message_id, "
    "timing_number, state_kind, state",
    "fct_message_value": "place, experiment_key, arm, channel, message_id",
    "fct_credit_over_cause": "experiment_key, arm, tool, workspace_id",
    "fct_replenishment_effects": "experiment_key, arm, category",
    "fct_triage_audiences": "workspace_id, triage_rank",
    "fct_intent_prediction": "workspace_id, reading",
    "fct_intent_lift": "workspace_id, predictor, level_number desc",
    "fct_message_pressure": "workspace_id, journey_id, experiment_key, arm, measure",
    "fct_pressure_by_dose": "workspace_id, journey_id, experiment_key, arm, dose_number",
    "fct_replenishment_windows": "workspace_id, is_all_categories, category",
    "fct_reactivation_triage": "net_margin_low desc nulls last, triage_rank, workspace_id",
}
"""Marts the page shows when they are built, and names when they are not, with the order it shows
their rows in; what that order leaves open is settled by the remaining columns."""


HELD_OUT_SINCE = Path(__file__).with_name("held_out_since.sql")


@dataclass
class Review:
    """Everything one weekly page rests on: rows as read, unrounded.

    Attributes:
        as_of: the instant of the build.
        week_from, previous_from: where the week under review and the one before it begin.
        weeks: those that the trend tells, newest first.
        longest_weeks: beyond so many no number of weeks is told.
        cards: what to do about each journey, in the order of the page.
        tiles: one row per journey and week, newest first.
        estimates: rows of fct_lift, with the experiment's and the metric's names beside them.
        contrasts: what the naive readings say, one row per experiment and arm.
        sizes: what each experiment could see at all, one row per arm.
        journeys: one entry per journey that had entries or messages, each with its own rows.
        optional: rows of the marts of `OPTIONAL`, by name; None where the mart is not built.
        checks: the words of the guardrails; not a number, so not in the JSON.
        basis: what the page was made of, to compare it with another (`basis.py`).
    """

    as_of: datetime
    week_from: datetime
    previous_from: datetime
    definitions: str | None = None
    weeks: list[Record] = field(default_factory=list)
    longest_weeks: int = 0
    cards: list[Record] = field(default_factory=list)
    tiles: list[Record] = field(default_factory=list)
    workspaces: list[Record] = field(default_factory=list)
    freshness: list[Record] = field(default_factory=list)
    loads: list[Record] = field(default_factory=list)
    gaps: list[Record] = field(default_factory=list)
    experiments: list[Record] = field(default_factory=list)
    arms: list[Record] = field(default_factory=list)
    metrics: list[Record] = field(default_factory=list)
    estimates: list[Record] = field(default_factory=list)
    history: list[Record] = field(default_factory=list)
    health: list[Record] = field(default_factory=list)
    assignments: list[Record] = field(default_factory=list)
    reach: list[Record] = field(default_factory=list)
    match_rates: list[Record] = field(default_factory=list)
    match_rates_by_arm: list[Record] = field(default_factory=list)
    contrasts: list[Record] = field(default_factory=list)
    sizes: list[Record] = field(default_factory=list)
    journeys: list[Record] = field(default_factory=list)
    checkout_drops: list[Record] = field(default_factory=list)
    other_messages: list[Record] = field(default_factory=list)
    audience_counts: list[Record] = field(default_factory=list)
    audience_parity: list[Record] = field(default_factory=list)
    held_out_since: list[Record] = field(default_factory=list)
    marks: list[Record] = field(default_factory=list)
    segments: list[Record] = field(default_factory=list)
    costs: list[Record] = field(default_factory=list)
    heap: Record | None = None
    basis: Record = field(default_factory=dict)
    checks: Guardrails = field(default_factory=Guardrails)
    optional: dict[str, list[Record] | None] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)


def gather(settings: Settings) -> Review:
    """Read everything the page needs, holding the warehouse only for the time of reading.

    Raises:
        CounterfoilError: nothing was built whole, or the warehouse or ledger is being written.
    """
    with open_warehouse(settings) as tables:
        review = _read_warehouse(tables)
        review.basis = read_basis(tables)
        ledger = attach_ledger(tables, settings)
        review.heap = None if ledger is None else _heap(ledger)
        if (
            ledger is not None
            and ledger.has("audience_exported")
            and tables.has(*names_in(HELD_OUT_SINCE))
        ):
            review.held_out_since = tables.ask(HELD_OUT_SINCE)
    return review


def _read_warehouse(tables: Tables) -> Review:
    weeks = _all(tables, "fct_review_weeks", "weeks_ago")
    if not weeks:
        raise CounterfoilError(
            "The warehouse does not say which weeks the page tells (fct_review_weeks): run "
            "`counterfoil build` again."
        )
    week, previous = weeks[:2]
    review = Review(
        read_as_of(tables), week["starts_at"], previous["starts_at"], tables.whole.code[:12], weeks
    )
    review.longest_weeks = read_vars()["review_longest_weeks"]
    review.cards = _all(tables, "fct_review_cards", "card_rank")
    review.tiles = _all(tables, "fct_review_tiles", "workspace_id, journey_id, weeks_ago")
    review.workspaces = _all(tables, "workspaces", "workspace_id")
    review.freshness = _all(tables, "fct_source_freshness", "family")
    review.loads = _all(tables, "fct_review_loads", "family")
    review.gaps = _all(tables, "fct_input_gaps", "gap desc, family, workspace_id, event_name")
    review.arms = _all(tables, "experiment_arms", "experiment_key, allocation_version, arm")
    review.metrics = _all(tables, "metrics", "metric_key")
    review.estimates = _estimates(tables, "fct_lift", "")
    review.history = _estimates(tables, "fct_lift_history", "fct_lift.as_of, ")
    review.health = _all(tables, "fct_experiment_health", "experiment_key, population, guardrail")
    review.checks = read_guardrails(tables)
    review.match_rates = _all(tables, "fct_identity_match_rate", "workspace_id")
    by_arm = "experiment_key, arm"
    review.assignments = _all(tables, "fct_review_arms", by_arm)
    review.reach = _all(tables, "fct_review_reach", by_arm)
    review.match_rates_by_arm = _all(tables, "fct_review_arm_match_rates", by_arm)
    review.contrasts = _all(tables, "fct_review_naive_ratios", by_arm)
    review.sizes = _all(tables, "fct_review_sizes", by_arm)
    review.experiments = _experiments(tables)
    review.journeys = _journeys(tables, review)
    review.checkout_drops = _all(
        tables, "fct_review_checkout_drops", f"workspace_id, journey_id, {by_arm}"
    )
    review.other_messages = _all(
        tables, "fct_review_other_messages", "workspace_id, message_type, message_id"
    )
    review.audience_counts = _all(tables, "fct_audiences", "audience_key")
    review.audience_parity = _all(tables, "fct_audience_parity", "audience_key")
    review.segments = _segments(tables)
    review.costs = _all(tables, "channel_costs", "channel")
    review.marks = _all(tables, "fct_review_marks", "marked_at, experiment_key, what, workspace_id")
    review.optional = {
        name: _all(tables, name, f"{order}, columns(*)") if tables.has(name) else None
        for name, order in OPTIONAL.items()
    }
    review.missing = sorted(tables.missing)
    return review


def _all(tables: Tables, name: str, order: str) -> list[Record]:
    return tables.rows(f"select * from {{{name}}} order by {order}", reads=[name])


def _experiments(tables: Tables) -> list[Record]:
    """The registry, with the journey's present name."""
    return tables.rows(
        """
        select experiments.*, cast(experiments.campaign_id as varchar) as journey_id,
            journeys.journey_name
        from {experiments} as experiments
        left join {fct_review_journeys} as journeys
            on journeys.journey_id = cast(experiments.campaign_id as varchar)
            and journeys.workspace_id = experiments.workspace_id
        order by experiments.experiment_key
        """,
        reads=["experiments", "fct_review_journeys"],
    )


def _estimates(tables: Tables, name: str, first: str) -> list[Record]:
    return tables.rows(
        f"""
        select fct_lift.*, experiments.primary_metric = fct_lift.metric_key as is_primary,
            metrics.label as metric_label, metrics.aggregation
        from {{{name}}} as fct_lift
        left join {{experiments}} as experiments
            on fct_lift.experiment_key = experiments.experiment_key
        left join {{metrics}} as metrics on fct_lift.metric_key = metrics.metric_key
        order by {first}fct_lift.experiment_key, fct_lift.arm, is_primary desc,
            fct_lift.metric_key, fct_lift.population desc, fct_lift.stratum
        """,
        reads=[name, "experiments", "metrics"],
    )


def _journeys(tables: Tables, review: Review) -> list[Record]:
    """One per journey: its counts of two weeks, its messages, reasons and trend."""
    of_journey = "workspace_id, journey_id"
    parts = {
        "messages": _all(tables, "fct_review_messages", f"{of_journey}, message_id"),
        "reasons": _all(
            tables, "fct_review_not_shown", f"{of_journey}, count_ever desc, not_exposed_reason"
        ),
        "trend": _all(
            tables, "fct_review_exposure_weeks", f"{of_journey}, exposure_kind, weeks_ago"
        ),
    }
    journeys = _all(tables, "fct_review_journeys", of_journey)
    for journey in journeys:
        key = _key(journey)
        journey["experiment_keys"] = [
            row["experiment_key"]
            for row in review.experiments
            if row["journey_id"] == key[1] and row["workspace_id"] in (None, key[0])
        ]
        for name, rows in parts.items():
            journey[name] = [row for row in rows if _key(row) == key]
    ranks = {_key(row): row["card_rank"] for row in review.cards}
    return sorted(
        journeys, key=lambda journey: (ranks.get(_key(journey), len(ranks) + 1), str(_key(journey)))
    )


def _key(row: Record) -> tuple[Any, ...]:
    return row["workspace_id"], row["journey_id"]


def _segments(tables: Tables) -> list[Record]:
    return tables.rows(
        """
        select segment_key, version, valid_from, valid_to, motion, owner, is_exported,
            count_members
        from {dim_segment_versions}
        order by segment_key, version
        """,
        reads=["dim_segment_versions"],
    )


def _heap(ledger: Tables) -> Record:
    """What Heap has acknowledged and refused so far."""
    return {
        "receipts": ledger.rows(
            """
            select kind, count(*) as count_rows from {receipts} group by kind order by kind
            """,
            reads=["receipts"],
        ),
        "properties": ledger.value(
            "select count(*) from {property_state}", reads=["property_state"]
        ),
        "dead_letters": ledger.rows(
            """
            select status, reason, count(*) as count_rows
            from {dead_letters} group by status, reason order by status, reason
            """,
            reads=["dead_letters"],
        ),
    }
