"""What the weekly page says, read from the marts: rows and counts, no statistics of our own.

Every function returns plain rows. A relation that is not built gives no rows, and is named in
`Tables.missing`. The week is the seven days before `as_of`; experiments are cumulative.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from pipelines.review.tables import (
    Record,
    Tables,
    attach_ledger,
    definitions_hash,
    open_warehouse,
    read_as_of,
    read_manifest,
)
from pipelines.settings import Settings

WEEK = timedelta(days=7)
TREND_WEEKS = 8

OPTIONAL = (
    "fct_journey_credit",
    "fct_effect_on_the_reached",
    "fct_checkout_funnel",
    "fct_message_timing",
    "fct_message_pressure",
    "fct_replenishment_windows",
    "fct_reactivation_triage",
)
"""Marts the page shows when they are built, and names when they are not."""


@dataclass
class Review:
    """Everything one weekly page rests on: rows as read, unrounded.

    Attributes:
        as_of: the instant of the build; `week_from` and `previous_from` lie 7 and 14 days before.
        estimates: rows of fct_lift, with the experiment's and the metric's names beside them.
        contrasts: what the naive readings say, one row per experiment and arm.
        journeys: one entry per journey that had entries or messages, each with its own rows.
        optional: rows of the marts of `OPTIONAL`, by name; None where the mart is not built.
    """

    as_of: datetime
    week_from: datetime
    previous_from: datetime
    definitions: str | None = None
    workspaces: list[Record] = field(default_factory=list)
    freshness: list[Record] = field(default_factory=list)
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
    journeys: list[Record] = field(default_factory=list)
    other_messages: list[Record] = field(default_factory=list)
    marks: list[Record] = field(default_factory=list)
    segments: list[Record] = field(default_factory=list)
    costs: list[Record] = field(default_factory=list)
    heap: Record | None = None
    optional: dict[str, list[Record] | None] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)


def gather(settings: Settings) -> Review:
    """Read everything the page needs, holding the warehouse only for the time of reading.

    Raises:
        CounterfoilError: nothing was built, or the warehouse or ledger is being written.
    """
    definitions = definitions_hash(read_manifest(settings))
    with open_warehouse(settings) as tables:
        review = _read_warehouse(tables, definitions)
        ledger = attach_ledger(tables, settings)
        review.heap = None if ledger is None else _heap(ledger)
    return review


def _read_warehouse(tables: Tables, definitions: str | None) -> Review:
    as_of = read_as_of(tables)
    review = Review(as_of, as_of - WEEK, as_of - 2 * WEEK, definitions)
    review.workspaces = _all(tables, "workspaces", "workspace_id")
    review.freshness = _all(tables, "fct_source_freshness", "family")
    review.experiments = _experiments(tables)
    review.arms = _all(tables, "experiment_arms", "experiment_key, allocation_version, arm")
    review.metrics = _all(tables, "metrics", "metric_key")
    review.estimates = _estimates(tables, "fct_lift", "")
    review.history = _estimates(tables, "fct_lift_history", "fct_lift.as_of, ")
    review.health = _all(tables, "fct_experiment_health", "experiment_key, population, guardrail")
    review.assignments = _assignments(tables, review)
    review.reach = _reach(tables)
    review.match_rates = _latest(tables, "fct_identity_match_rate", "workspace_id")
    review.match_rates_by_arm = _match_rates_by_arm(tables)
    review.contrasts = _contrasts(tables)
    review.journeys = _journeys(tables, review)
    review.other_messages = _other_messages(tables, review)
    review.segments = _segments(tables)
    review.costs = _all(tables, "channel_costs", "channel")
    review.marks = _marks(review)
    review.optional = {
        name: tables.rows(f"select * from {{{name}}} order by all", reads=[name])
        if tables.has(name)
        else None
        for name in OPTIONAL
    }
    review.missing = sorted(tables.missing)
    return review


def _all(tables: Tables, name: str, order: str) -> list[Record]:
    return tables.rows(f"select * from {{{name}}} order by {order}", reads=[name])


def _latest(tables: Tables, name: str, order: str) -> list[Record]:
    return tables.rows(
        f"select * from {{{name}}} where as_of = (select max(as_of) from {{{name}}}) "
        f"order by {order}",
        reads=[name],
    )


def _match_rates_by_arm(tables: Tables) -> list[Record]:
    """Match rate of each arm over all its workspaces."""
    return tables.rows(
        """
        select experiment_key, arm, sum(count_persons) as count_persons,
            sum(count_identifiable) as count_identifiable, sum(count_matched) as count_matched
        from {fct_identity_match_rate_by_arm}
        where as_of = (select max(as_of) from {fct_identity_match_rate_by_arm})
        group by experiment_key, arm
        order by experiment_key, arm
        """,
        reads=["fct_identity_match_rate_by_arm"],
    )


def _experiments(tables: Tables) -> list[Record]:
    """The registry, with the journey's present name."""
    names = (
        "(select workspace_id, journey_id, max(journey_name) as journey_name "
        "from {fct_journey_entries} group by workspace_id, journey_id)"
    )
    return tables.rows(
        f"""
        select experiments.*, cast(experiments.campaign_id as varchar) as journey_id,
            names.journey_name
        from {{experiments}} as experiments
        left join {names} as names
            on names.journey_id = cast(experiments.campaign_id as varchar)
            and names.workspace_id = experiments.workspace_id
        order by experiments.experiment_key
        """,
        reads=["experiments", "fct_journey_entries"],
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


def _assignments(tables: Tables, review: Review) -> list[Record]:
    """People per arm: in all, in the week, in the week before, still inside their window."""
    return tables.rows(
        """
        select experiment_key, arm, count(*) as count_people,
            count(*) filter (where assigned_at >= $1) as count_week,
            count(*) filter (where assigned_at >= $2 and assigned_at < $1) as count_previous_week,
            count(*) filter (where not is_mature) as count_immature,
            count(*) filter (where is_crossover) as count_crossovers
        from {fct_experiment_assignments}
        group by experiment_key, arm
        order by experiment_key, arm
        """,
        [review.week_from, review.previous_from],
        reads=["fct_experiment_assignments"],
    )


def _reach(tables: Tables) -> list[Record]:
    """How many of each arm were really reached, and how many had a trapped delivery."""
    return tables.rows(
        """
        select experiment_key, arm, count(*) as count_people,
            count(*) filter (where is_exposed_real) as count_reached,
            count(*) filter (where is_exposed_ghost) as count_ghost,
            count(*) filter (where is_contaminated) as count_contaminated
        from (
            select distinct experiment_key, arm, person_id, is_exposed_real, is_exposed_ghost,
                is_contaminated
            from {fct_experiment_units}
        )
        group by experiment_key, arm
        order by experiment_key, arm
        """,
        reads=["fct_experiment_units"],
    )


def _contrasts(tables: Tables) -> list[Record]:
    """What a naive reading compares: among the reached of an arm, clickers with the rest."""
    return tables.rows(
        """
        with clickers as (
            select distinct experiments.experiment_key, exposures.person_id
            from {fct_message_exposures} as exposures
            inner join {experiments} as experiments
                on exposures.workspace_id = experiments.workspace_id
                and exposures.journey_id = cast(experiments.campaign_id as varchar)
            where exposures.human_clicked_at is not null
        ),
        people as (
            select units.experiment_key, units.arm, units.y > 0 as is_converted,
                clickers.person_id is not null as is_clicker
            from {fct_experiment_units} as units
            inner join {experiments} as experiments
                on units.experiment_key = experiments.experiment_key
                and units.metric_key = experiments.primary_metric
            inner join {fct_experiment_assignments} as assignments
                on units.experiment_key = assignments.experiment_key
                and units.person_id = assignments.person_id
            left join clickers
                on units.experiment_key = clickers.experiment_key
                and units.person_id = clickers.person_id
            where assignments.is_mature and units.is_exposed_real
        )
        select experiment_key, arm,
            count(*) filter (where is_clicker) as count_clickers,
            count(*) filter (where is_clicker and is_converted) as count_clickers_converted,
            count(*) filter (where not is_clicker) as count_others,
            count(*) filter (where not is_clicker and is_converted) as count_others_converted
        from people
        group by experiment_key, arm
        order by experiment_key, arm
        """,
        reads=[
            "fct_message_exposures",
            "fct_experiment_units",
            "fct_experiment_assignments",
            "experiments",
        ],
    )


_SENT_AT = "coalesce(sent_at, delivered_at, created_at)"
_OF_A_JOURNEY = "journey_id is not null and message_type not in ('newsletter', 'transactional')"


def _journeys(tables: Tables, review: Review) -> list[Record]:
    """One per journey: entries and exposures of two weeks, its messages, reasons and trend."""
    periods = [review.week_from, review.previous_from]
    entries = tables.rows(
        """
        select workspace_id, journey_id, max(journey_name) as journey_name,
            count(*) as count_entries,
            count(*) filter (where entered_at >= $1) as count_entries_week,
            count(*) filter (where entered_at >= $2 and entered_at < $1)
                as count_entries_previous_week
        from {fct_journey_entries}
        where journey_id is not null
        group by workspace_id, journey_id
        """,
        periods,
        reads=["fct_journey_entries"],
    )
    exposures = tables.rows(
        f"""
        select workspace_id, journey_id, max(journey_name) as journey_name,
            {_counts(_SENT_AT)}
        from {{fct_message_exposures}}
        where {_OF_A_JOURNEY}
        group by workspace_id, journey_id
        """,
        periods,
        reads=["fct_message_exposures"],
    )
    claims = tables.rows(
        """
        select workspace_id, journey_id,
            count(*) filter (where converted_at >= $1) as count_claimed_week,
            count(*) filter (where converted_at >= $2 and converted_at < $1)
                as count_claimed_previous_week
        from {fct_goal_conversions}
        where journey_id is not null
        group by workspace_id, journey_id
        """,
        periods,
        reads=["fct_goal_conversions"],
    )
    journeys: dict[tuple[Any, str], Record] = {}
    for rows in (entries, exposures, claims):
        for row in rows:
            key = (row["workspace_id"], row["journey_id"])
            known = journeys.setdefault(key, {})
            known.update({name: value for name, value in row.items() if value is not None})
    parts = {
        "messages": _messages(tables, periods),
        "reasons": _reasons(tables, periods),
        "trend": _trend(tables, review),
    }
    by_key = {  # journeys with an experiment first, in the order of the verdicts
        (row["workspace_id"], row["journey_id"]): row["experiment_key"]
        for row in review.experiments
        if row["journey_id"] is not None
    }
    for key, journey in journeys.items():
        journey["experiment_keys"] = sorted(
            row["experiment_key"]
            for row in review.experiments
            if row["journey_id"] == key[1] and row["workspace_id"] in (None, key[0])
        )
        for name, rows in parts.items():
            journey[name] = [r for r in rows if (r["workspace_id"], r["journey_id"]) == key]
    ordered = sorted(
        journeys.items(),
        key=lambda item: (
            by_key.get(item[0]) or "~",
            -item[1].get("count_entries_week", 0),
            -item[1].get("count_entries", 0),
            str(item[0]),
        ),
    )
    return [journey for _, journey in ordered]


def _counts(instant: str) -> str:
    """Deliveries by kind, and human clicks on real ones: in the week, before it, ever."""
    periods = {
        "_week": f"{instant} >= $1",
        "_previous_week": f"{instant} >= $2 and {instant} < $1",
        "": "true",
    }
    counted = {
        "real": "exposure_kind = 'real'",
        "ghost": "exposure_kind = 'ghost'",
        "none": "exposure_kind = 'none'",
        "clicked": "exposure_kind = 'real' and human_clicked_at is not null",
    }
    return ", ".join(
        f"count(*) filter (where {what} and {when}) as count_{name}{suffix}"
        for suffix, when in periods.items()
        for name, what in counted.items()
    )


def _messages(tables: Tables, periods: Sequence[object]) -> list[Record]:
    return tables.rows(
        f"""
        select workspace_id, journey_id, message_id, max(message_name) as message_name,
            max(channel) as channel, median(minutes_since_trigger) as median_minutes_since_trigger,
            {_counts(_SENT_AT)}
        from {{fct_message_exposures}}
        where {_OF_A_JOURNEY}
        group by workspace_id, journey_id, message_id
        order by workspace_id, journey_id, message_id
        """,
        periods,
        reads=["fct_message_exposures"],
    )


def _reasons(tables: Tables, periods: Sequence[object]) -> list[Record]:
    return tables.rows(
        f"""
        select workspace_id, journey_id, not_exposed_reason,
            count(*) filter (where {_SENT_AT} >= $1) as count_week,
            count(*) filter (where {_SENT_AT} >= $2 and {_SENT_AT} < $1) as count_previous_week,
            count(*) as count_ever
        from {{fct_message_exposures}}
        where exposure_kind = 'none' and {_OF_A_JOURNEY}
        group by workspace_id, journey_id, not_exposed_reason
        order by workspace_id, journey_id, count_ever desc, not_exposed_reason
        """,
        periods,
        reads=["fct_message_exposures"],
    )


def _trend(tables: Tables, review: Review) -> list[Record]:
    """Deliveries by kind in each of the last weeks, counted back from as_of."""
    return tables.rows(
        f"""
        select workspace_id, journey_id, exposure_kind,
            1 + date_diff('second', {_SENT_AT}, $1) // 604800 as weeks_ago,
            count(*) as count_messages
        from {{fct_message_exposures}}
        where {_OF_A_JOURNEY} and {_SENT_AT} > $2 and {_SENT_AT} <= $1
        group by all
        order by all
        """,
        [review.as_of - timedelta(seconds=1), review.as_of - TREND_WEEKS * WEEK],
        reads=["fct_message_exposures"],
    )


def _other_messages(tables: Tables, review: Review) -> list[Record]:
    """Newsletters and transactional messages: pressure, and no journey of anybody's."""
    return tables.rows(
        f"""
        select workspace_id, message_type, message_id, max(message_name) as message_name,
            max(channel) as channel, {_counts(_SENT_AT)}
        from {{fct_message_exposures}}
        where not ({_OF_A_JOURNEY})
        group by workspace_id, message_type, message_id
        order by workspace_id, message_type, message_id
        """,
        [review.week_from, review.previous_from],
        reads=["fct_message_exposures"],
    )


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


def _marks(review: Review) -> list[Record]:
    """Dated changes that bend a line: new segment versions, allocations, starts, ends, analyses."""
    marks: list[Record] = []
    for row in review.segments:
        name = f"{row['segment_key']} v{row['version']}"
        marks += _mark(row["valid_from"], None, "segment", f"segment {name} came into use")
        marks += _mark(row["valid_to"], None, "segment", f"segment {name} was retired")
    for row in review.arms:
        if row["is_control"] and row["allocation_version"] != 1:
            said = f"allocation version {row['allocation_version']} came into force"
            marks += _mark(row["valid_from"], row["experiment_key"], "allocation", said)
    for row in review.experiments:
        key = row["experiment_key"]
        marks += _mark(row["started_at"], key, "experiment", "the experiment started")
        marks += _mark(row["ended_at"], key, "experiment", "the experiment ended")
        marks += _mark(
            row["analysis_at"], key, "analysis", "the declared analysis date was reached"
        )
    seen = [mark for mark in marks if mark["at"] < review.as_of]
    return sorted(seen, key=lambda mark: (mark["at"], mark["experiment_key"] or "", mark["what"]))


def _mark(at: datetime | None, experiment_key: str | None, kind: str, what: str) -> list[Record]:
    if at is None:
        return []
    return [{"at": at, "experiment_key": experiment_key, "kind": kind, "what": what}]


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
