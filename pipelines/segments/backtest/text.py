"""A backtest for people: a table for a terminal, Markdown for a pull request."""

from __future__ import annotations

from pipelines.segments.backtest.facts import Backtest


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
