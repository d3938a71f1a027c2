"""`segments backtest`: what a new version would have done to the numbers, over the whole history.

Two versions of one segment are compared on the stays and orders that a build has left in the
warehouse. A person counts as a member from `entered_at` to `exited_at`; an order counts as a
member's when it was placed after the entry and not after the exit, so that the order that ends a
stay belongs to it and the order that begins one does not. What is taken back in that time lowers
the revenue and is no order.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from pipelines import built
from pipelines.console import Console
from pipelines.errors import CounterfoilError, UsageError
from pipelines.settings import Settings

_STAYS = """
create or replace temp table stays as
select
    version,
    person_id,
    entered_at,
    exited_at,
    greatest(entered_at, $since) as seen_from,
    coalesce(exited_at, $as_of) as seen_to
from {memberships}
where
    segment_key = $key
    and version in ($from_version, $to_version)
    and entered_at < $as_of
    and coalesce(exited_at, $as_of) > $since
"""

_ORDERS = """
create or replace temp table orders as
select
    person_id,
    changed_at as ordered_at,
    is_order,
    order_value
from {order_values}
where
    changed_at >= $since
    and changed_at < $as_of
"""

_VERSION = """
with

mine as (
    select * from stays
    where version = $version
),

ordered as (
    select distinct
        orders.person_id,
        orders.ordered_at,
        orders.is_order,
        orders.order_value
    from orders
    inner join mine
        on
            orders.person_id = mine.person_id
            and orders.ordered_at > mine.entered_at
            and (mine.exited_at is null or orders.ordered_at <= mine.exited_at)
)

select
    (select count(distinct person_id) from mine) as count_persons,
    (select count(*) from mine where exited_at is null) as count_members,
    (select count(*) from mine where entered_at >= $since) as count_entrants,
    (select count(*) from mine where exited_at is not null) as count_leavers,
    (
        select round(coalesce(sum(date_diff('second', seen_from, seen_to)), 0) / 86400.0, 4)
        from mine
    ) as person_days,
    (select count(*) from ordered where is_order) as count_orders,
    (select count(distinct person_id) from ordered where is_order) as count_buyers,
    (select cast(coalesce(sum(order_value), 0) as decimal(38, 2)) from ordered) as revenue
"""

_WEEKS = """
with

weeks as (
    select unnest(generate_series(
        date_trunc('week', cast($since as timestamp)) + interval 7 day,
        cast($as_of as timestamp),
        interval 7 day
    )) as week_at
)

select
    weeks.week_at,
    count(distinct case when version = $from_version then person_id end) as members_from,
    count(distinct case when version = $to_version then person_id end) as members_to
from weeks
left join stays
    on
        weeks.week_at >= stays.entered_at
        and (stays.exited_at is null or weeks.week_at < stays.exited_at)
group by weeks.week_at
order by weeks.week_at
"""

_SHARED_TIME = """
select round(coalesce(sum(date_diff(
    'second',
    greatest(one.seen_from, other.seen_from),
    least(one.seen_to, other.seen_to)
)), 0) / 86400.0, 4)
from stays as one
inner join stays as other
    on
        one.person_id = other.person_id
        and one.seen_from < other.seen_to
        and other.seen_from < one.seen_to
where
    one.version = $from_version
    and other.version = $to_version
"""

_SHARED_PERSONS = """
with

flags as (
    select
        person_id,
        bool_or(version = $from_version) as is_in_from,
        bool_or(version = $to_version) as is_in_to,
        bool_or(version = $from_version and exited_at is null) as is_now_in_from,
        bool_or(version = $to_version and exited_at is null) as is_now_in_to
    from stays
    group by person_id
)

select
    count(*) filter (is_in_from and is_in_to) as ever_both,
    count(*) filter (is_in_from or is_in_to) as ever_either,
    count(*) filter (is_now_in_from and is_now_in_to) as now_both,
    count(*) filter (is_now_in_from or is_now_in_to) as now_either
from flags
"""

_OVERLAPS = """
with

others as (
    select
        memberships.segment_key,
        memberships.version,
        memberships.person_id,
        memberships.entered_at,
        coalesce(memberships.exited_at, $as_of) as left_at
    from {memberships} as memberships
    inner join {versions} as versions
        on
            memberships.segment_key = versions.segment_key
            and memberships.version = versions.version
    where
        versions.is_exported
        and (versions.valid_to is null or versions.valid_to > $as_of)
        and memberships.segment_key <> $key
),

exported as (
    select
        segment_key,
        version
    from {versions}
    where
        is_exported
        and (valid_to is null or valid_to > $as_of)
        and segment_key <> $key
),

meetings as (
    select
        others.segment_key,
        others.version,
        stays.version as own_version,
        count(distinct stays.person_id) as count_persons
    from stays
    inner join others
        on
            stays.person_id = others.person_id
            and stays.seen_from < others.left_at
            and others.entered_at < stays.seen_to
    group by others.segment_key, others.version, stays.version
)

select
    exported.segment_key,
    exported.version,
    coalesce(max(case when own_version = $from_version then count_persons end), 0) as persons_from,
    coalesce(max(case when own_version = $to_version then count_persons end), 0) as persons_to
from exported
left join meetings
    on
        exported.segment_key = meetings.segment_key
        and exported.version = meetings.version
group by exported.segment_key, exported.version
order by exported.segment_key, exported.version
"""


@dataclass(frozen=True)
class VersionFacts:
    """One version over the window.

    Attributes:
        count_persons: persons who were in it at any time; count_members: at the end.
        count_entrants, count_leavers: stays that began and ended in the window.
        person_days: time spent in it, days of 24 hours.
        count_orders, count_buyers, revenue: of members, money as text with two decimals.
        order_rate: buyers per person; null without persons.
    """

    version: int
    count_persons: int
    count_members: int
    count_entrants: int
    count_leavers: int
    person_days: float
    count_orders: int
    count_buyers: int
    revenue: str
    order_rate: float | None


@dataclass(frozen=True)
class Week:
    """Members at a Monday, 00:00 UTC, under both versions."""

    week_at: datetime
    members_from: int
    members_to: int


@dataclass(frozen=True)
class Overlap:
    """Persons who were in another exported segment and in this one at the same time."""

    segment_key: str
    version: int
    persons_from: int
    persons_to: int
    share_from: float | None
    share_to: float | None


@dataclass(frozen=True)
class Backtest:
    """Two versions of one segment, compared over `[since, as_of)`.

    Attributes:
        jaccard_ever, jaccard_now, jaccard_time: shared over united persons, members at the end
            and person-time; null when nobody is in either.
        break_members, break_order_rate, break_revenue_per_person: the relative step that a trend
            line would make if the definition were exchanged and nothing else happened; null
            without a base.
    """

    segment_key: str
    since: datetime
    as_of: datetime
    before: VersionFacts
    after: VersionFacts
    jaccard_ever: float | None
    jaccard_now: float | None
    jaccard_time: float | None
    break_members: float | None
    break_order_rate: float | None
    break_revenue_per_person: float | None
    weeks: tuple[Week, ...]
    overlaps: tuple[Overlap, ...]


def backtest(
    settings: Settings,
    console: Console,
    key: str,
    *,
    from_version: int,
    to_version: int,
    days: int | None = None,
    markdown: bool = False,
) -> Backtest:
    """Compare two versions of a segment on the warehouse as it was built.

    Args:
        days: only so many days before the build's instant; default the whole history.
        markdown: print Markdown fit for a pull request instead of a table.

    Raises:
        UsageError: the versions are the same, or `days` is not positive.
        CounterfoilError: the warehouse is missing or open elsewhere, or a version is not built.
    """
    if from_version == to_version:
        raise UsageError("Compare two different versions: --from and --to are the same.")
    if days is not None and days < 1:
        raise UsageError("--days is a whole number of days, 1 or more.")
    with console.progress(f"Comparing {key} v{from_version} with v{to_version}"):
        result = _compare(settings.warehouse_path, key, from_version, to_version, days)
    for line in (as_markdown(result) if markdown else as_table(result)).splitlines():
        console.line(line)
    console.record(**_as_json(result))
    return result


def _compare(
    path: Path, key: str, from_version: int, to_version: int, days: int | None
) -> Backtest:
    import duckdb

    if not path.is_file():
        raise CounterfoilError("There is no warehouse yet: run `counterfoil build` first.")
    try:
        connection = duckdb.connect(str(path), read_only=True)
    except duckdb.Error as error:
        raise CounterfoilError(
            "The warehouse is open in another program: close it (or wait until it has finished) "
            "and try again."
        ) from error
    with connection:
        built.require_whole(connection)
        names = _relations(connection)
        known = dict(
            connection.execute(
                f"select version, as_of from {names['versions']} where segment_key = $key",
                {"key": key},
            ).fetchall()
        )
        for version in (from_version, to_version):
            if version not in known:
                have = ", ".join(f"v{v}" for v in sorted(known)) or "no version of it"
                raise CounterfoilError(
                    f"The warehouse has no {key}_v{version} ({have} is built): make it with "
                    "`counterfoil segments new` and run `counterfoil build`."
                )
        as_of = known[from_version]
        window = {
            "key": key,
            "from_version": from_version,
            "to_version": to_version,
            "as_of": as_of,
            "since": _since(connection, names, key, as_of, days),
        }

        def rows(sql: str, **more: Any) -> list[tuple[Any, ...]]:
            statement = sql.format(**names)
            wanted = {n: v for n, v in {**window, **more}.items() if f"${n}" in statement}
            return list(connection.execute(statement, wanted).fetchall())

        rows(_STAYS)
        rows(_ORDERS)
        before = _facts(from_version, rows(_VERSION, version=from_version)[0])
        after = _facts(to_version, rows(_VERSION, version=to_version)[0])
        (shared_days,) = rows(_SHARED_TIME)[0]
        ever_both, ever_either, now_both, now_either = rows(_SHARED_PERSONS)[0]
        return Backtest(
            segment_key=key,
            since=window["since"],
            as_of=as_of,
            before=before,
            after=after,
            jaccard_ever=_share(ever_both, ever_either),
            jaccard_now=_share(now_both, now_either),
            jaccard_time=_share(
                float(shared_days), before.person_days + after.person_days - float(shared_days)
            ),
            break_members=_step(before.count_members, after.count_members),
            break_order_rate=_step(before.order_rate, after.order_rate),
            break_revenue_per_person=_step(
                _share(float(before.revenue), before.count_persons),
                _share(float(after.revenue), after.count_persons),
            ),
            weeks=tuple(Week(*row) for row in rows(_WEEKS)),
            overlaps=tuple(
                Overlap(
                    other,
                    version,
                    persons_from,
                    persons_to,
                    _share(persons_from, before.count_persons),
                    _share(persons_to, after.count_persons),
                )
                for other, version, persons_from, persons_to in rows(_OVERLAPS)
            ),
        )


def _relations(connection: Any) -> dict[str, str]:
    wanted = {
        "memberships": "fct_segment_memberships",
        "versions": "dim_segment_versions",
        "order_values": "int_segments__order_values",
    }
    found = dict(
        connection.execute(
            "select table_name, concat('\"', table_schema, '\".\"', table_name, '\"') "
            "from information_schema.tables where table_catalog = current_database()"
        ).fetchall()
    )
    for relation in wanted.values():
        if relation not in found:
            raise CounterfoilError(f"The warehouse has no {relation} yet: run `counterfoil build`.")
    return {name: found[relation] for name, relation in wanted.items()}


def _since(
    connection: Any, names: dict[str, str], key: str, as_of: datetime, days: int | None
) -> datetime:
    if days is not None:
        return as_of - timedelta(days=days)
    (first,) = connection.execute(
        f"select min(entered_at) from {names['memberships']} where segment_key = $key", {"key": key}
    ).fetchall()[0]
    return first if isinstance(first, datetime) else as_of


def _facts(version: int, row: tuple[Any, ...]) -> VersionFacts:
    persons, members, entrants, leavers, person_days, orders, buyers, revenue = row
    return VersionFacts(
        version=version,
        count_persons=persons,
        count_members=members,
        count_entrants=entrants,
        count_leavers=leavers,
        person_days=float(person_days),
        count_orders=orders,
        count_buyers=buyers,
        revenue=f"{revenue:.2f}",
        order_rate=_share(buyers, persons),
    )


def _share(part: float, whole: float) -> float | None:
    return part / whole if whole else None


def _step(before: float | None, after: float | None) -> float | None:
    return after / before - 1 if before and after is not None else None


def _as_json(result: Backtest) -> dict[str, Any]:
    facts = asdict(result)
    facts["since"] = result.since.isoformat()
    facts["as_of"] = result.as_of.isoformat()
    for week in facts["weeks"]:
        week["week_at"] = week["week_at"].date().isoformat()
    return facts


def _percent(value: float | None, *, signed: bool = False) -> str:
    if value is None:
        return "none"
    return f"{value:+.1%}" if signed else f"{value:.1%}"


def _comparison(result: Backtest) -> list[tuple[str, str, str]]:
    one, two = result.before, result.after
    return [
        ("persons ever in", f"{one.count_persons:,}", f"{two.count_persons:,}"),
        ("members at the end", f"{one.count_members:,}", f"{two.count_members:,}"),
        ("entrants", f"{one.count_entrants:,}", f"{two.count_entrants:,}"),
        ("leavers", f"{one.count_leavers:,}", f"{two.count_leavers:,}"),
        ("person-days", f"{one.person_days:,.1f}", f"{two.person_days:,.1f}"),
        ("orders as members", f"{one.count_orders:,}", f"{two.count_orders:,}"),
        ("buyers", f"{one.count_buyers:,}", f"{two.count_buyers:,}"),
        ("revenue", f"{float(one.revenue):,.2f}", f"{float(two.revenue):,.2f}"),
        ("buyers per person", _percent(one.order_rate), _percent(two.order_rate)),
    ]


def _sentences(result: Backtest) -> list[str]:
    return [
        f"Jaccard: {_percent(result.jaccard_ever)} of persons, {_percent(result.jaccard_now)} of "
        f"members at the end, {_percent(result.jaccard_time)} of time.",
        "Trend break from the definition alone: members "
        f"{_percent(result.break_members, signed=True)}, buyers per person "
        f"{_percent(result.break_order_rate, signed=True)}, revenue per person "
        f"{_percent(result.break_revenue_per_person, signed=True)}.",
    ]


def as_table(result: Backtest) -> str:
    """Plain text for a terminal."""
    one, two = f"v{result.before.version}", f"v{result.after.version}"
    lines = [
        f"{result.segment_key}: {one} against {two}, {result.since:%Y-%m-%d} to "
        f"{result.as_of:%Y-%m-%d %H:%M}",
        f"{'':<22}{one:>16}{two:>16}",
    ]
    lines += [f"{name:<22}{left:>16}{right:>16}" for name, left, right in _comparison(result)]
    lines += _sentences(result)
    lines.append(f"{'members on Monday':<22}{one:>16}{two:>16}")
    lines += [
        f"{week.week_at:%Y-%m-%d}{'':<12}{week.members_from:>16,}{week.members_to:>16,}"
        for week in result.weeks
    ]
    lines.append(f"{'also in':<34}{one:>16}{two:>16}")
    lines += [
        f"{f'{other.segment_key}_v{other.version}':<34}"
        f"{f'{other.persons_from:,} ({_percent(other.share_from)})':>16}"
        f"{f'{other.persons_to:,} ({_percent(other.share_to)})':>16}"
        for other in result.overlaps
    ]
    return "\n".join(lines)


def as_markdown(result: Backtest) -> str:
    """Markdown fit for a pull request; the weeks are folded away."""
    one, two = f"v{result.before.version}", f"v{result.after.version}"
    lines = [
        f"### Backtest of `{result.segment_key}`: {one} against {two}",
        "",
        f"{result.since:%Y-%m-%d} to {result.as_of:%Y-%m-%d %H:%M} UTC.",
        "",
        f"| | {one} | {two} |",
        "| --- | ---: | ---: |",
    ]
    lines += [f"| {name} | {left} | {right} |" for name, left, right in _comparison(result)]
    lines += ["", *(f"- {sentence}" for sentence in _sentences(result)), ""]
    lines += [f"| also in | {one} | {two} |", "| --- | ---: | ---: |"]
    lines += [
        f"| `{other.segment_key}_v{other.version}` "
        f"| {other.persons_from:,} ({_percent(other.share_from)}) "
        f"| {other.persons_to:,} ({_percent(other.share_to)}) |"
        for other in result.overlaps
    ]
    lines += ["", "<details><summary>Members by week</summary>", ""]
    lines += [f"| Monday | {one} | {two} |", "| --- | ---: | ---: |"]
    lines += [
        f"| {week.week_at:%Y-%m-%d} | {week.members_from:,} | {week.members_to:,} |"
        for week in result.weeks
    ]
    lines += ["", "</details>"]
    return "\n".join(lines)
