"""What the page counts itself over the marts: said once, for the page and for `explain number`.

A tally is one grouped query. The page reads all of its rows; an explanation reads one measure of
one row, by the same text. `{name}` stands for a relation or for one of the instants of `instants`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from pipelines.built.tables import Record, Tables

WEEK = timedelta(days=7)
TREND_WEEKS = 8

SENT_AT = "coalesce(sent_at, delivered_at, created_at)"
OF_A_JOURNEY = "journey_id is not null and message_type not in ('newsletter', 'transactional')"


@dataclass(frozen=True)
class Measure:
    """One counted column: its expression, and what it says."""

    sql: str
    description: str


@dataclass(frozen=True)
class Tally:
    """One grouped query.

    Attributes:
        source: what stands behind `from`.
        reads: the relations that `source` and `first` name.
        keys: columns that name a row of the answer.
        measures: the numbers, by column name.
        labels: further columns that are no numbers, by name.
        where: which rows of the source count.
        first: common table expressions before the `select`.
        order: of the answer; by its keys when empty.
    """

    source: str
    reads: tuple[str, ...]
    keys: tuple[str, ...]
    measures: Mapping[str, Measure]
    labels: Mapping[str, str] = field(default_factory=dict)
    where: str = "true"
    first: str = ""
    order: str = ""

    def rows(self, tables: Tables, now: datetime) -> list[Record]:
        """Every row as of `now`; none when a relation is not built."""
        if not tables.has(*self.reads):
            return []
        keys = ", ".join(self.keys)
        columns = [
            *self.keys,
            *(f"{sql} as {name}" for name, sql in self.labels.items()),
            *(f"{measure.sql} as {name}" for name, measure in self.measures.items()),
        ]
        text = (
            f"{self.first}select {', '.join(columns)} from {self.source} where {self.where} "
            f"group by {keys} order by {self.order or keys}"
        )
        return tables.rows(text.format_map({**tables.places, **instants(now)}), reads=self.reads)


def instants(now: datetime) -> dict[str, str]:
    """The instants that tallies name, as SQL: the week under review and the one before it."""
    return {
        "week_from": f"timestamp '{now - WEEK}'",
        "previous_from": f"timestamp '{now - 2 * WEEK}'",
        "trend_from": f"timestamp '{now - TREND_WEEKS * WEEK}'",
        "last_second": f"timestamp '{now - timedelta(seconds=1)}'",
    }


def _share(part: str, whole: str, description: str) -> Measure:
    return Measure(f"cast({part} as double) / nullif({whole}, 0)", description)


def _where(condition: str) -> str:
    return f"count(*) filter (where {condition})"


def _periods(instant: str) -> dict[str, tuple[str, str]]:
    """By suffix: a condition on an instant, and its words."""
    return {
        "_week": (f"{instant} >= {{week_from}}", "in the seven days before as_of"),
        "_previous_week": (
            f"{instant} >= {{previous_from}} and {instant} < {{week_from}}",
            "in the week before that",
        ),
        "": ("true", "so far"),
    }


def _deliveries() -> dict[str, Measure]:
    """Deliveries by kind and human clicks on real ones: in the week, before it, ever."""
    counted = {
        "real": ("exposure_kind = 'real'", "Deliveries really shown"),
        "ghost": ("exposure_kind = 'ghost'", "Deliveries trapped (ghosts), seen by nobody"),
        "none": ("exposure_kind = 'none'", "Deliveries that were not shown"),
        "clicked": (
            "exposure_kind = 'real' and human_clicked_at is not null",
            "Deliveries really shown with a human click",
        ),
    }
    found = {
        f"count_{name}{suffix}": Measure(
            _where(f"{what} and {when}"), f"{said}, sent {period}, by {SENT_AT}."
        )
        for suffix, (when, period) in _periods(SENT_AT).items()
        for name, (what, said) in counted.items()
    }
    for suffix, (_, period) in _periods(SENT_AT).items():
        found[f"click_through{suffix}"] = _share(
            found[f"count_clicked{suffix}"].sql,
            found[f"count_real{suffix}"].sql,
            f"Human click-through: clicked over really shown, of deliveries sent {period}.",
        )
    return found


_NAMED = {"journey_name": "max(journey_name)"}
_EXPOSURES = ("fct_message_exposures",)
_UNITS = "{fct_experiment_units}"

ENTRIES = Tally(
    source="{fct_journey_entries}",
    reads=("fct_journey_entries",),
    keys=("workspace_id", "journey_id"),
    labels=_NAMED,
    where="journey_id is not null",
    measures={
        f"count_entries{suffix}": Measure(_where(when), f"Passes through the journey {period}.")
        for suffix, (when, period) in _periods("entered_at").items()
    },
)

EXPOSURES = Tally(
    source="{fct_message_exposures}",
    reads=_EXPOSURES,
    keys=("workspace_id", "journey_id"),
    labels=_NAMED,
    where=OF_A_JOURNEY,
    measures=_deliveries(),
)

CLAIMS = Tally(
    source="{fct_goal_conversions}",
    reads=("fct_goal_conversions",),
    keys=("workspace_id", "journey_id"),
    where="journey_id is not null",
    measures={
        f"count_claimed{suffix}": Measure(
            _where(when), f"Conversions that Customer.io claims for the journey {period}."
        )
        for suffix, (when, period) in _periods("converted_at").items()
        if suffix
    },
)

MESSAGES = Tally(
    source="{fct_message_exposures}",
    reads=_EXPOSURES,
    keys=("workspace_id", "journey_id", "message_id"),
    labels={"message_name": "max(message_name)", "channel": "max(channel)"},
    where=OF_A_JOURNEY,
    measures={
        "median_minutes_since_trigger": Measure(
            "median(minutes_since_trigger)",
            "Median minutes from the trigger to the message, over all its deliveries.",
        ),
        **_deliveries(),
    },
)

REASONS = Tally(
    source="{fct_message_exposures}",
    reads=_EXPOSURES,
    keys=("workspace_id", "journey_id", "not_exposed_reason"),
    where=f"exposure_kind = 'none' and {OF_A_JOURNEY}",
    measures={
        f"count{suffix or '_ever'}": Measure(
            _where(when), f"Deliveries not shown for this reason, sent {period}."
        )
        for suffix, (when, period) in _periods(SENT_AT).items()
    },
    order="workspace_id, journey_id, count_ever desc, not_exposed_reason",
)

TREND = Tally(
    source=(
        f"(select *, 1 + date_diff('second', {SENT_AT}, {{last_second}}) // 604800 as weeks_ago "
        f"from {{fct_message_exposures}} where {SENT_AT} > {{trend_from}} "
        f"and {SENT_AT} <= {{last_second}}) as sent"
    ),
    reads=_EXPOSURES,
    keys=("workspace_id", "journey_id", "exposure_kind", "weeks_ago"),
    where=OF_A_JOURNEY,
    measures={
        "count_messages": Measure(
            "count(*)", "Deliveries of this kind sent in that week, counted back from as_of."
        )
    },
)

OTHER_MESSAGES = Tally(
    source="{fct_message_exposures}",
    reads=_EXPOSURES,
    keys=("workspace_id", "message_type", "message_id"),
    labels={"message_name": "max(message_name)", "channel": "max(channel)"},
    where=f"not ({OF_A_JOURNEY})",
    measures=_deliveries(),
)

ASSIGNMENTS = Tally(
    source="{fct_experiment_assignments}",
    reads=("fct_experiment_assignments",),
    keys=("experiment_key", "arm"),
    measures={
        "count_people": Measure("count(*)", "Persons assigned to the arm."),
        "count_week": Measure(
            _where("assigned_at >= {week_from}"), "Of them in the seven days before as_of."
        ),
        "count_previous_week": Measure(
            _where("assigned_at >= {previous_from} and assigned_at < {week_from}"),
            "Of them in the week before that.",
        ),
        "count_immature": Measure(_where("not is_mature"), "Of them still inside their window."),
        "count_crossovers": Measure(
            _where("is_crossover"), "Of them in two arms; the first counts."
        ),
    },
)

REACH = Tally(
    source=(
        "(select distinct experiment_key, arm, person_id, is_exposed_real, is_exposed_ghost, "
        f"is_contaminated from {_UNITS}) as people"
    ),
    reads=("fct_experiment_units",),
    keys=("experiment_key", "arm"),
    measures={
        "count_people": Measure("count(*)", "Persons of the arm who count in the experiment."),
        "count_reached": Measure(
            _where("is_exposed_real"), "Of them really shown a message inside their window."
        ),
        "count_ghost": Measure(
            _where("is_exposed_ghost"), "Of them with a trapped delivery inside their window."
        ),
        "count_contaminated": Measure(
            _where("is_contaminated"), "Of them held out and really shown a message all the same."
        ),
        "reached_share": _share(
            _where("is_exposed_real"), "count(*)", "Really reached, of the persons of the arm."
        ),
    },
)

MATCH_RATES_BY_ARM = Tally(
    source="{fct_identity_match_rate_by_arm}",
    reads=("fct_identity_match_rate_by_arm",),
    keys=("experiment_key", "arm"),
    where="as_of = (select max(as_of) from {fct_identity_match_rate_by_arm})",
    measures={
        "count_persons": Measure("sum(count_persons)", "Persons of the arm, all workspaces."),
        "count_identifiable": Measure(
            "sum(count_identifiable)", "Of them with a usable Heap identity."
        ),
        "count_matched": Measure(
            "sum(count_matched)", "Of them known in Heap; null without Heap Connect."
        ),
        "identifiable_rate": _share(
            "sum(count_identifiable)", "sum(count_persons)", "Identifiable, of all persons."
        ),
        "match_rate": _share(
            "sum(count_matched)",
            "sum(count_identifiable)",
            "Matched in Heap, of those identifiable; null without Heap Connect.",
        ),
    },
)

_CLICKERS = _where("is_clicker")
_CLICKERS_CONVERTED = _where("is_clicker and is_converted")
_OTHERS = _where("not is_clicker")
_OTHERS_CONVERTED = _where("not is_clicker and is_converted")

CONTRASTS = Tally(
    first=f"""with clickers as (
    select distinct experiments.experiment_key, exposures.person_id
    from {{fct_message_exposures}} as exposures
    inner join {{experiments}} as experiments
        on exposures.workspace_id = experiments.workspace_id
        and exposures.journey_id = cast(experiments.campaign_id as varchar)
    where exposures.human_clicked_at is not null
),

people as (
    select units.experiment_key, units.arm, units.y > 0 as is_converted,
        clickers.person_id is not null as is_clicker
    from {_UNITS} as units
    inner join {{experiments}} as experiments
        on units.experiment_key = experiments.experiment_key
        and units.metric_key = experiments.primary_metric
    inner join {{fct_experiment_assignments}} as assignments
        on units.experiment_key = assignments.experiment_key
        and units.person_id = assignments.person_id
    left join clickers
        on units.experiment_key = clickers.experiment_key
        and units.person_id = clickers.person_id
    where assignments.is_mature and units.is_exposed_real
)

""",
    source="people",
    reads=(
        "fct_message_exposures",
        "fct_experiment_units",
        "fct_experiment_assignments",
        "experiments",
    ),
    keys=("experiment_key", "arm"),
    measures={
        "count_clickers": Measure(_CLICKERS, "Reached persons with a human click."),
        "count_clickers_converted": Measure(_CLICKERS_CONVERTED, "Of them converted."),
        "count_others": Measure(_OTHERS, "Reached persons without a human click."),
        "count_others_converted": Measure(_OTHERS_CONVERTED, "Of them converted."),
        "share_clickers": _share(
            _CLICKERS_CONVERTED, _CLICKERS, "Converted, of those who clicked. Not lift."
        ),
        "share_others": _share(
            _OTHERS_CONVERTED, _OTHERS, "Converted, of those who did not click. Not lift."
        ),
        "naive_ratio": Measure(
            f"(cast({_CLICKERS_CONVERTED} as double) / nullif({_CLICKERS}, 0)) / "
            f"nullif(cast({_OTHERS_CONVERTED} as double) / nullif({_OTHERS}, 0), 0)",
            "How many times better clickers convert: a difference between people, never lift.",
        ),
    },
)
