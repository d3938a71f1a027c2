"""How the page says a number or a name: the only place where anything is rounded.

Shares are shown with one decimal, differences of shares in points with two, money with two,
counts and incremental counts whole, p and q with three. An absent number is a dash.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any

from pipelines.plural import plural

ABSENT = "\N{EN DASH}"
MINUS = "\N{MINUS SIGN}"
NO_BREAK = "\N{NO-BREAK SPACE}"
TIMES = "\N{MULTIPLICATION SIGN}"
LONGEST_NAME = 120
WEEKS_OF_A_YEAR = 52

STATUS = {
    "ok": "Readable",
    "underpowered": "Too few people yet",
    "insufficient": "Not enough to say",
    "invalid": "Do not read",
    "no_control": "No control",
    "no control": "No control",
    "no_estimate": "No estimate",
}

SPELLED: dict[float, str] = {
    1: "one", 2: "two", 3: "three", 4: "four", 5: "five", 6: "six", 7: "seven", 8: "eight",
    9: "nine", 10: "ten", 11: "eleven", 12: "twelve", 15: "fifteen", 20: "twenty", 30: "thirty",
    40: "forty", 50: "fifty", 100: "a hundred",
}  # fmt: skip
"""Numbers that a sentence spells."""

ACTIONS = {
    "repair_first": "Repair this first",
    "stop": "Stop",
    "keep": "Keep",
    "keep_running": "Keep running until",
    "hold_out_first": "Hold somebody out first",
}
"""What a card says to do; `Keep running until` is followed by a day. The most urgent first."""

HOLD_MORE_OUT = "Hold more people out first"
"""What it says instead of `Hold somebody out first` where somebody is held out, but too few."""

WHY = {
    "works": ("Works", "the whole interval lies above zero, all readings allowed for"),
    "harms": ("Harms", "the whole interval lies below zero, all readings allowed for"),
    "no_effect": ("Nothing found", "the planned people and the date are here, and zero is inside"),
    "not_sure": ("Not sure", "found at its date, but not once all readings are allowed for"),
    "too_early": ("Too early", "planned people, or the analysis date, are still to come"),
    "ended_short": ("Ended short", "it ended before the planned people were there"),
    "too_small": ("Too small", "its date came with too few people to say anything"),
    "too_slow": ("Too slow", "at this pace the plan takes too long to wait for"),
    "running": ("Running", "its analysis date is still to come"),
    "no_data": (
        "No data",
        "no row came all week, so nobody knows what happened: “Can these numbers be trusted?” says "
        "which feed stopped",
    ),
    "no_control": ("No control", "nobody is held out, so nothing can be said about what it causes"),
    "nobody_assigned": (
        "Nobody came",
        "no arm got anybody this week: see if the split still runs, and if its files still come",
    ),
    "no_plan": ("No plan", "declare people or an analysis date in experiments.csv"),
    "no_analysis_date": ("No date", "the planned people are there: declare the analysis date"),
    "interval_withheld": ("No interval", "a few large values decide the mean: judge it by a share"),
}
"""Reasons of decisions that are no check of an experiment: tag and legend."""

POPULATIONS = {
    "itt": "everyone assigned",
    "ghost_reached": "those whom message 1 reached, or would have",
}


def clean(text: object) -> str:
    """A name as it may be shown: no control or direction-changing characters, and not endless."""
    kept = "".join(
        " " if unicodedata.category(letter) in {"Cc", "Zl", "Zp"} else letter
        for letter in str(text)
        if unicodedata.category(letter) not in {"Cf", "Cs", "Co", "Cn"}
    ).strip()
    return kept if len(kept) <= LONGEST_NAME else kept[: LONGEST_NAME - 1] + "…"


def count(value: Any) -> str:
    """A whole number with thousands separators."""
    return ABSENT if value is None else _minus(f"{value:,.0f}")


def several(value: Any, noun: str) -> str:
    """So many of a thing: `1 week`, `2 weeks`."""
    return f"{count(value)} {plural(noun, value)}"


def weeks(value: Any, longest: int) -> str:
    """How long something takes: `3 weeks`, but beyond the longest only that it is more."""
    if value is None or value <= longest:
        return several(value, "week")
    years = longest // WEEKS_OF_A_YEAR
    return f"more than {spelled(years)} {plural('year', years)}"


def share(value: Any, decimals: int = 1) -> str:
    """A share as a percentage."""
    return ABSENT if value is None else _minus(f"{100 * value:.{decimals}f}%")


def ratio(part: Any, whole: Any) -> float | None:
    """`part / whole`, or nothing of nothing."""
    return None if part is None or not whole else float(part) / float(whole)


def change(now: Any, before: Any, relative: Any) -> str:
    """This week beside the week before: `+12%`, or words where there is no percentage to tell."""
    if now == before:
        return "unchanged"
    return f"was {count(before)}" if relative is None else signed(100 * relative, 0) + "%"


def odds(value: float) -> str:
    """A share as words: 0.8 is “four times out of five”."""
    near = Fraction(value).limit_denominator(12)
    return f"{spelled(near.numerator)} times out of {spelled(near.denominator)}"


def signed(value: float, decimals: int) -> str:
    """A number with its sign; a rounded zero has none."""
    text = f"{value:+,.{decimals}f}"
    return text[1:] if float(text.replace(",", "")) == 0 else _minus(text)


def metric_value(value: Any, aggregation: str | None, currency: str = "") -> str:
    """A mean per person: a percentage, a count per person, or money per person."""
    if value is None:
        return ABSENT
    if aggregation == "any":
        return share(value, 2)
    unit = f" {currency}" if aggregation == "sum" and currency else ""
    return _minus(f"{value:,.{3 if aggregation == 'count' else 2}f}") + unit


def difference(value: Any, aggregation: str | None, currency: str = "") -> str:
    """A difference of two means: percentage points, counts or money per person."""
    if value is None:
        return ABSENT
    if aggregation == "any":
        return f"{signed(100 * value, 2)}{NO_BREAK}pp"
    unit = f" {currency}" if aggregation == "sum" and currency else ""
    return signed(value, 3 if aggregation == "count" else 2) + unit


def interval(low: Any, high: Any, aggregation: str | None) -> str:
    """Both limits without the unit, which stands beside the estimate."""
    if low is None or high is None:
        return "interval withheld"
    if aggregation == "any":
        return _limits(signed(100 * low, 2), signed(100 * high, 2))
    decimals = 3 if aggregation == "count" else 2
    return _limits(signed(low, decimals), signed(high, decimals))


def amount(value: Any, aggregation: str | None, currency: str = "") -> str:
    """A total over the arm: orders, or money."""
    if value is None:
        return ABSENT
    unit = f" {currency}" if aggregation == "sum" and currency else ""
    return signed(value, 0) + unit


def amounts(low: Any, high: Any) -> str:
    """Both limits of a total."""
    return "" if low is None or high is None else _limits(signed(low, 0), signed(high, 0))


def probability(value: Any) -> str:
    """A p or q value."""
    if value is None:
        return ABSENT
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def money(value: Any, currency: str = "") -> str:
    """An amount of money."""
    return (
        ABSENT if value is None else _minus(f"{value:,.2f}") + (f" {currency}" if currency else "")
    )


def times(value: Any) -> str:
    """A ratio, such as 2.19 times."""
    return ABSENT if value is None else f"{value:.2f}{NO_BREAK}{TIMES}"


def number(value: float) -> str:
    """A count, or a statistic with two decimals."""
    return count(value) if float(value).is_integer() else _minus(f"{value:,.2f}")


def spelled(value: float) -> str:
    """A number inside a sentence: a small or a round one as a word."""
    return SPELLED.get(value) or (count(value) if float(value).is_integer() else f"{value:g}")


def day(instant: datetime | None) -> str:
    """A date in words."""
    return ABSENT if instant is None else f"{instant.day} {instant:%b %Y}"


def moment(instant: datetime | None) -> str:
    """An instant in UTC."""
    return ABSENT if instant is None else f"{instant.day} {instant:%b %Y, %H:%M}"


def week(start: datetime, end: datetime) -> str:
    """The days of `[start, end)` in words."""
    last = end - timedelta(microseconds=1)
    if start.year != last.year:
        return f"{day(start)} to {day(last)}"
    if start.month != last.month:
        return f"{start.day} {start:%b} to {day(last)}"
    return f"{start.day} to {day(last)}"


def duration(minutes: Any) -> str:
    """Minutes in the unit people would use."""
    if minutes is None:
        return ABSENT
    if minutes < 120:
        return f"{minutes:.0f} min"
    hours = minutes / 60
    return f"{hours:.1f} h" if hours < 48 else f"{hours / 24:.1f} days"


def codes_of(codes: str | None) -> list[str]:
    """The codes of a `||`-joined list."""
    return [code for code in (codes or "").split("||") if code]


def short(decision: str) -> str:
    """What to do, where nothing follows it."""
    return ACTIONS[decision].removesuffix(" until")


def slug(text: str) -> str:
    """A key as part of an anchor."""
    return "".join(letter if letter.isalnum() else "-" for letter in clean(text).lower())


def line(label: str, values: list[Any], said: Callable[[Any], str]) -> str:
    """What a line of weeks shows, for who cannot see it."""
    known = [value for value in values if value is not None]
    if not known:
        return f"{label}: no week has a value"
    ends = f"from {said(known[0])} to {said(known[-1])}"
    limits = f"between {said(min(known))} and {said(max(known))}"
    lacking = len(values) - len(known)
    without = f", {several(lacking, 'week')} without a value" if lacking else ""
    return f"{label} in {spelled(len(values))} weeks: {ends}, {limits}{without}"


def currency(costs: list[Any]) -> str:
    """The currency of the channel costs when there is only one; else money has none."""
    found = {str(row["currency"]) for row in costs if row["currency"]}
    return clean(found.pop()) if len(found) == 1 else ""


def channel(name: str | None) -> str:
    """A channel as people write it."""
    known = {"sms": "SMS", "in_app": "In-app", "email": "E-mail", None: ABSENT}
    return known.get(name) or plain(str(name))


def journey(row: Mapping[str, Any]) -> str:
    """What a journey is called: its name, or its id."""
    return clean(row["journey_name"] or "") or f"Journey {clean(row['journey_id'])}"


def plain(name: str) -> str:
    """A column or key as words: `shipping_viewed` becomes `Shipping viewed`."""
    words = clean(name).replace("_", " ").strip()
    return words[:1].upper() + words[1:]


def _limits(low: str, high: str) -> str:
    return f"[{low},{NO_BREAK}{high}]"


def _minus(text: str) -> str:
    return text.replace("-", MINUS)
