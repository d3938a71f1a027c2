"""The figures of the weekly page by name, each with the statement that gives it.

A name is `<family>/<key>/…/<column>`: which rows of the page's JSON, which of them, which column.
The registry `FAMILIES` is the only place that knows a name; a part of a name is percent-encoded,
and `~` where the key is null.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from urllib.parse import quote, unquote

from pipelines.built.tables import Record, Tables, read_as_of
from pipelines.errors import CounterfoilError
from pipelines.review import tallies, words
from pipelines.review.tallies import Tally, instants

NULL = "~"
NEAR = 3
NUMBERS = ("BIGINT", "INTEGER", "HUGEINT", "DOUBLE", "DECIMAL")


@dataclass(frozen=True)
class Family:
    """Figures that stand in the same place of the page's JSON.

    Attributes:
        name: first part of their names.
        at: where the JSON holds their rows; `[]` stands for every element of a list.
        source: the relation that has them as columns, or the tally that counts them.
        keys: columns that name a row.
        columns: which columns are figures; all numbers besides the keys when empty.
        headline: the column that is told first.
        where: which rows of the relation a name can mean.
        listed: which of these rows are listed here, when others are another family's.
        beside: columns without which a figure must not be told.
        recount: a statement that counts the figure again from the rows beneath. Its columns are
            compared with those of the same name; `{column}` stands for a value of the row.
        recount_reads: the relations it reads.
    """

    name: str
    at: str
    source: str | Tally
    keys: tuple[str, ...]
    columns: tuple[str, ...] = ()
    headline: str = ""
    where: str = ""
    listed: str = "true"
    beside: tuple[str, ...] = ()
    recount: str = ""
    recount_reads: tuple[str, ...] = ()

    @property
    def reads(self) -> tuple[str, ...]:
        """The relations that have its rows, or that its tally counts."""
        return self.source.reads if isinstance(self.source, Tally) else (self.source,)


def _tallied(name: str, at: str, tally: Tally) -> Family:
    return Family(name, at, tally, tally.keys)


def _units(ripe: str, *conditions: str) -> str:
    """Arm and control recounted from units; allocation versions are weighed, never pooled."""
    return f"""with units as (
    select units.arm, people.allocation_version, units.y
    from {{fct_experiment_units}} as units
    inner join {{int_experiments__people}} as people
        on units.experiment_key = people.experiment_key
        and units.person_id = people.person_id
    inner join {{int_experiments__arms}} as arms
        on people.experiment_key = arms.experiment_key
        and people.allocation_version = arms.allocation_version
        and arms.arm = {{arm}}
    where {" and ".join(["units.experiment_key = {experiment_key}", *conditions])}
        and units.metric_key = {{metric_key}}
        and units.arm in ({{arm}}, {{control_arm}})
        and {ripe}
),

versions as (
    select allocation_version,
        count(*) filter (where arm = {{arm}}) as count_treatment,
        count(*) filter (where arm = {{control_arm}}) as count_control,
        avg(y) filter (where arm = {{arm}}) as mean_treatment,
        avg(y) filter (where arm = {{control_arm}}) as mean_control,
        case when count_treatment > 0 and count_control > 0 then count(*) end as weight
    from units
    group by allocation_version
)

select coalesce(sum(count_treatment + count_control), 0) as count_rows,
    coalesce(sum(count_treatment), 0) as count_treatment,
    coalesce(sum(count_control), 0) as count_control,
    coalesce(
        sum(weight * mean_treatment) / sum(weight),
        sum(count_treatment * mean_treatment) / nullif(sum(count_treatment), 0)
    ) as mean_treatment,
    coalesce(
        sum(weight * mean_control) / sum(weight),
        sum(count_control * mean_control) / nullif(sum(count_control), 0)
    ) as mean_control
from versions"""


_UNITS_READS = ("fct_experiment_units", "int_experiments__people", "int_experiments__arms")
_LIFT_BESIDE = ("lift", "lift_low", "lift_high", "p_value", "q_value")
_DECISION = "population = 'itt' and stratum = 'all'"
_OF_COHORT = (
    "cohort_key = coalesce('experiment:' || {experiment_key}, "
    "'journey:' || {workspace_id} || ':' || {journey_id})\n    and arm is not distinct from {arm}"
)

FAMILIES = (
    Family(
        "lift",
        "estimates",
        "fct_lift",
        ("experiment_key", "metric_key", "arm"),
        headline="lift",
        where=_DECISION,
        beside=_LIFT_BESIDE,
        recount=_units("units.is_mature"),
        recount_reads=_UNITS_READS,
    ),
    Family(
        "lift_by_stratum",
        "estimates",
        "fct_lift",
        ("experiment_key", "metric_key", "arm", "population", "stratum"),
        headline="lift",
        listed=f"not ({_DECISION})",
        beside=_LIFT_BESIDE,
        recount=_units(
            "units.is_mature",
            "({population} = 'itt' or people.is_ghost_reached)",
            "{stratum} in ('all', concat('intent_tier=', people.intent_tier))",
        ),
        recount_reads=_UNITS_READS,
    ),
    Family(
        "lift_history",
        "history",
        "fct_lift_history",
        ("experiment_key", "metric_key", "arm", "as_of"),
        columns=("lift", "lift_low", "lift_high"),
        where=_DECISION,
        beside=_LIFT_BESIDE,
        recount=_units("people.window_ends_at <= {as_of}"),
        recount_reads=_UNITS_READS,
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
        "health",
        "health",
        "fct_experiment_health",
        ("experiment_key", "population", "guardrail"),
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
    _tallied("assigned", "assignments", tallies.ASSIGNMENTS),
    _tallied("reach", "reach", tallies.REACH),
    _tallied("naive", "contrasts", tallies.CONTRASTS),
    Family(
        "match_rate",
        "match_rates",
        "fct_identity_match_rate",
        ("workspace_id",),
        headline="match_rate",
        recount="select count(*) as count_rows, count(*) as count_persons,\n"
        "    count(*) filter (where is_publishable) as count_identifiable,\n"
        "    case when bool_or(is_known_in_heap is not null)\n"
        "        then count(*) filter (where match_status = 'matched') end as count_matched\n"
        "from {dim_persons}\nwhere workspace_id = {workspace_id}",
        recount_reads=("dim_persons",),
    ),
    _tallied("match_rate_by_arm", "match_rates_by_arm", tallies.MATCH_RATES_BY_ARM),
    _tallied("entries", "journeys", tallies.ENTRIES),
    _tallied("exposures", "journeys", tallies.EXPOSURES),
    _tallied("claims", "journeys", tallies.CLAIMS),
    _tallied("message", "journeys[].messages", tallies.MESSAGES),
    _tallied("not_shown", "journeys[].reasons", tallies.REASONS),
    _tallied("trend", "journeys[].trend", tallies.TREND),
    _tallied("other_message", "other_messages", tallies.OTHER_MESSAGES),
    Family(
        "funnel",
        "optional.fct_checkout_funnel",
        "fct_checkout_funnel",
        ("workspace_id", "journey_id", "experiment_key", "arm", "step"),
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
        recount="select count(*) as count_rows, count(*) as count_units,\n"
        "    count(columns(lambda name: name = {step} || '_at')) as count_persons,\n"
        "    count(*) filter (where drop_off_step = {step}) as count_dropped\n"
        f"from {{int_insight__funnels}}\nwhere {_OF_COHORT}",
        recount_reads=("int_insight__funnels",),
    ),
    Family(
        "timing",
        "optional.fct_message_timing",
        "fct_message_timing",
        ("experiment_key", "arm", "basis", "landmark"),
        headline="difference",
        beside=("difference", "difference_low", "difference_high", "is_selected"),
    ),
    Family(
        "credit",
        "optional.fct_journey_credit",
        "fct_journey_credit",
        ("workspace_id", "journey_id", "experiment_key", "arm"),
        headline="count_last_click_units",
        beside=("incremental", "incremental_low", "incremental_high"),
        recount="select count(*) as count_rows,\n"
        "    count(*) filter (where credit_kind = 'last_click' and is_order)"
        " as count_last_click_orders,\n"
        "    count(*) filter (where credit_kind = 'last_exposure' and is_order)"
        " as count_last_exposure_orders\n"
        "from {int_insight__order_credits}\n"
        "where workspace_id = {workspace_id} and journey_id = {journey_id}",
        recount_reads=("int_insight__order_credits",),
    ),
    Family(
        "pressure",
        "optional.fct_message_pressure",
        "fct_message_pressure",
        ("workspace_id", "journey_id", "experiment_key", "arm", "measure"),
        headline="rate",
        beside=("difference", "difference_low", "difference_high"),
        recount="select count(*) as count_rows, count(*) as count_persons,\n"
        "    coalesce(sum(count_events), 0) as count_events\n"
        f"from {{int_insight__pressure}}\nwhere measure = {{measure}}\n    and {_OF_COHORT}",
        recount_reads=("int_insight__pressure",),
    ),
    Family(
        "reorder_window",
        "optional.fct_replenishment_windows",
        "fct_replenishment_windows",
        ("workspace_id", "is_all_categories", "category"),
        headline="trigger_day",
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
            "experiment_key",
            "arm",
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
    ),
    Family("freshness", "freshness", "fct_source_freshness", ("family",)),
)

BY_NAME = {family.name: family for family in FAMILIES}


@dataclass(frozen=True)
class Figure:
    """One figure: a column of one row of a family."""

    family: Family
    key: tuple[Any, ...]
    column: str

    @property
    def name(self) -> str:
        """What it is called; stable as long as its keys are."""
        return _name(self.family, self.key, self.column)

    def statement(self, tables: Tables, now: datetime) -> str:
        """SQL that gives its value in one row and one column, for any DuckDB client."""
        source = self.family.source
        if not isinstance(source, Tally):
            return f"select {self.column}\nfrom {places(tables)[source]}\n{self._where()}"
        known = {**places(tables), **instants(now)}
        start = f"{source.first}select {source.measures[self.column].sql} as {self.column}\n"
        text = f"{start}from {source.source}".format_map(known)
        return f"{text}\n{self._where(source.where.format_map(known))}"

    def row(self, tables: Tables) -> Record:
        """The whole row it stands in; empty for what the page counts itself."""
        if isinstance(self.family.source, Tally):
            return {}
        return read_row(
            tables, f"select * from {places(tables)[self.family.source]} {self._where()}"
        )

    def beneath(self, tables: Tables, row: Record) -> str | None:
        """SQL that counts it again from the rows beneath; None when these are not built."""
        family, known = self.family, places(tables)
        if isinstance(family.source, Tally):
            source = family.source
            text = f"{source.first}select count(*) as count_rows\nfrom {source.source}"
            known |= instants(read_as_of(tables))
            return f"{text.format_map(known)}\n{self._where(source.where.format_map(known))}"
        if not family.recount or not tables.has(*family.recount_reads):
            return None
        return family.recount.format_map(
            {**known, **{name: literal(value) for name, value in row.items()}}
        )

    def conditions(self, columns: Iterable[str] | None = None) -> list[str]:
        """Its key as SQL conditions; only those on `columns` when these are given."""
        wanted = set(self.family.keys if columns is None else columns)
        return [
            f"{name} is null" if value is None else f"{name} = {literal(value)}"
            for name, value in zip(self.family.keys, self.key, strict=True)
            if name in wanted
        ]

    def _where(self, more: str = "") -> str:
        told = [one for one in (self.family.where, more) if one not in ("", "true")]
        return "where " + "\n    and ".join([*self.conditions(), *told])


def name_of(family: str, row: Mapping[str, Any], column: str) -> str:
    """What a figure is called that stands in a row of the page's JSON."""
    known = BY_NAME[family]
    return _name(known, tuple(row[key] for key in known.keys), column)


def figures(tables: Tables) -> list[Figure]:
    """Every figure of what is built, in the order of the registry."""
    return [figure for family in FAMILIES for figure in _of_family(tables, family)]


def find(tables: Tables, name: str) -> Figure:
    """The figure of that name.

    Raises:
        CounterfoilError: there is none; the sentence says which are near.
    """
    asked = "/".join(_encoded(unquote(part), part) for part in name.strip().split("/"))
    family = BY_NAME.get(asked.split("/")[0])
    for figure in _of_family(tables, family) if family else []:
        if figure.name == asked:
            return figure
    found = near(asked, [figure.name for figure in figures(tables)])
    said = f"near are {', '.join(found)}; " if found else ""
    narrowed = f" {found[0].split('/')[0]}" if found else ""
    raise CounterfoilError(
        f"No figure is called “{words.clean(name)}”: {said}"
        f"`counterfoil explain number --list{narrowed}` lists them."
    )


def near(asked: str, names: Sequence[str]) -> list[str]:
    """At most three names that somebody may have meant: longer ones, then alike ones."""
    parts = [part for part in asked.split("/") if part]
    longer = [name for name in names if asked and name.startswith(asked)]
    holding = [name for name in names if parts and all(part in name.split("/") for part in parts)]
    if longer or holding:
        return list(dict.fromkeys([*longer, *holding]))[:NEAR]
    family = difflib.get_close_matches(parts[0] if parts else "", list(BY_NAME), 1, 0.75)
    among = [name for name in names if family and name.split("/")[0] == family[0]] or names
    return difflib.get_close_matches(asked, among, NEAR, 0.5)


def places(tables: Tables) -> dict[str, str]:
    """Each relation as `schema.name`, so that a statement runs wherever the file was opened."""
    return {name: ".".join(_parts(place)[1:]) for name, place in tables.places.items()}


def literal(value: Any) -> str:
    """A value as SQL; letters that could hide or turn text are written by number."""
    if value is None:
        return "null"
    if isinstance(value, datetime):
        return f"timestamp '{value}'"
    if isinstance(value, date):
        return f"date '{value}'"
    if not isinstance(value, str):
        return str(value).lower() if isinstance(value, bool) else str(value)
    pieces = [""]
    for letter in value:
        if letter.isprintable():
            pieces[-1] += "''" if letter == "'" else letter
        else:
            pieces += [f"chr({ord(letter)})", ""]
    said = [
        piece if place % 2 else f"'{piece}'"
        for place, piece in enumerate(pieces)
        if place % 2 or piece or len(pieces) == 1
    ]
    return said[0] if len(said) == 1 else f"({' || '.join(said)})"


def read_row(tables: Tables, statement: str) -> Record:
    """The first row of a statement that needs no values; empty when it has none."""
    cursor = tables.db.execute(statement)
    names = [column[0] for column in cursor.description or ()]
    row = cursor.fetchone()
    return {} if row is None else dict(zip(names, row, strict=True))


def _name(family: Family, key: Sequence[Any], column: str) -> str:
    return "/".join([family.name, *(_part(value) for value in key), column])


def _part(value: Any) -> str:
    if value is None:
        return NULL
    text = value.isoformat() if isinstance(value, date) else str(value)
    if isinstance(value, bool):
        text = text.lower()
    return _encoded(text)


def _encoded(text: str, written: str = "") -> str:
    """A part as names write it; one that was already written as null stays so."""
    return NULL if written == NULL else quote(text, safe=":=,").replace(NULL, "%7E")


def _of_family(tables: Tables, family: Family) -> list[Figure]:
    if not tables.has(*family.reads):
        return []
    keys = ", ".join(family.keys)
    if isinstance(family.source, Tally):
        tally, known = family.source, {**places(tables), **instants(read_as_of(tables))}
        columns = list(tally.measures)
        text = f"{tally.first}select distinct {keys} from {tally.source} where {tally.where}"
        listing = text.format_map(known)
    else:
        columns = list(family.columns) or _numbers(tables, family.source, family.keys)
        listing = (
            f"select distinct {keys} from {places(tables)[family.source]} "
            f"where {family.where or 'true'} and {family.listed}"
        )
    if family.headline:
        columns.sort(key=lambda column: column != family.headline)
    rows = tables.db.execute(f"{listing} order by all").fetchall()
    return [Figure(family, tuple(row), column) for row in rows for column in columns]


def _numbers(tables: Tables, relation: str, keys: Sequence[str]) -> list[str]:
    described = tables.db.execute(f"describe {tables.places[relation]}").fetchall()
    return [
        name
        for name, kind, *_ in described
        if name not in keys and not name.endswith("_id") and str(kind).startswith(NUMBERS)
    ]


def _parts(place: str) -> list[str]:
    """`"a"."b"."c"` as its names, without quotes where these need none."""
    return [
        name if name.isidentifier() and name.islower() else f'"{name}"'
        for name in place[1:-1].split('"."')
    ]
