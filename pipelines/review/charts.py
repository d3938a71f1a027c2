"""The page's charts: Altair specifications rendered to SVG, and strips that a table row can hold.

An SVG carries numbers and dates only; titles, summaries and data tables stand in the page beside
it, where they can be read aloud. Nothing here loads a script or a font.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from markupsafe import Markup

from pipelines.built.tables import Record

TREATMENT = "#1f6f78"
CONTROL = "#b7791f"
INK = "#232a34"
FAINT = "#d9d4c7"

WIDTH = 440
_FONT = "ui-sans-serif, system-ui, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"


def timeline(
    history: Sequence[Record], marks: Sequence[datetime], *, is_share: bool, label: str
) -> Markup:
    """An estimate and its interval over time, the zero line, and a rule for each dated change.

    Args:
        history: rows of fct_lift_history of one experiment, arm, metric, population and stratum;
            rows without an estimate are left out.
        marks: instants of dated changes inside the span of the history.
    """
    import altair as alt

    scale = 100 if is_share else 1
    points = [
        {
            "at": row["as_of"].isoformat(),
            "lift": row["lift"] * scale,
            "low": None if row["lift_low"] is None else row["lift_low"] * scale,
            "high": None if row["lift_high"] is None else row["lift_high"] * scale,
        }
        for row in history
        if row["lift"] is not None
    ]
    bands = [point for point in points if point["low"] is not None]
    title = "points" if is_share else "per person"
    x = alt.X(
        "at:T",
        title=None,
        axis=alt.Axis(format="%b %-d", tickCount=5, grid=False, domainColor=FAINT, tickColor=FAINT),
    )
    y_axis = alt.Axis(tickCount=4, gridColor="#ece8dd", domain=False, ticks=False)
    band = (
        alt.Chart(alt.Data(values=bands))
        .mark_area(opacity=0.18, color=TREATMENT, interpolate="linear")
        .encode(x=x, y=alt.Y("low:Q", title=title, axis=y_axis), y2="high:Q")
    )
    line = (
        alt.Chart(alt.Data(values=points))
        .mark_line(color=TREATMENT, strokeWidth=2)
        .encode(x=x, y=alt.Y("lift:Q", title=title, axis=y_axis))
    )
    last = (
        alt.Chart(alt.Data(values=points[-1:]))
        .mark_point(color=TREATMENT, filled=True, size=55, opacity=1)
        .encode(x=x, y=alt.Y("lift:Q"))
    )
    zero = (
        alt.Chart(alt.Data(values=[{"zero": 0}]))
        .mark_rule(color=INK, strokeWidth=1)
        .encode(y=alt.Y("zero:Q"))
    )
    rules = (
        alt.Chart(alt.Data(values=[{"mark": at.isoformat()} for at in marks]))
        .mark_rule(color=CONTROL, strokeWidth=1.4, strokeDash=[3, 3])
        .encode(x=alt.X("mark:T"))
    )
    layers = [zero, band, line, last] + ([rules] if marks else [])
    return _svg(alt.layer(*layers).properties(width=WIDTH - 50, height=150), label)


def line(
    values: Sequence[float | None],
    marks: Sequence[datetime],
    *,
    span: tuple[datetime, datetime],
    label: str,
) -> Markup:
    """Weeks as a line, to stand in a tile: from zero up, broken where a week has no value.

    Args:
        values: one a week, oldest first.
        marks: instants of changes of a definition, each a dashed rule.
        span: the first instant of the oldest week and the last one of the newest.
    """
    top = max([value for value in values if value is not None], default=0) or 1
    start, end = span
    wide = (end - start).total_seconds()
    runs: list[list[str]] = [[]]
    for position, value in enumerate(values):
        if value is None:
            runs.append([])
            continue
        across, down = 100 * (position + 0.5) / len(values), 26 - 24 * float(value) / float(top)
        runs[-1].append(f"{across:.1f},{down:.1f}")
    parts = [
        f'<polyline points="{" ".join(run if len(run) > 1 else run * 2)}"/>' for run in runs if run
    ]
    places = sorted({f"{100 * (mark - start).total_seconds() / wide:.1f}" for mark in marks})
    parts += [f'<line x1="{place}" x2="{place}" y1="0" y2="28"/>' for place in places]
    return Markup(
        f'<svg class="chart" role="img" aria-label="{Markup.escape(label)}" viewBox="0 0 100 28" '
        f'preserveAspectRatio="none">{"".join(parts)}</svg>'
    )


def strip(
    value: float | None,
    low: float | None,
    high: float | None,
    *,
    domain: tuple[float, float],
    neutral: float,
    kind: str = "estimate",
) -> Markup:
    """One interval on a shared scale, to stand in a table row: stretches to the width it is given.

    Args:
        domain: the scale's two ends.
        neutral: where nothing was found (0 for a difference, 1 for a ratio).
        kind: `estimate`, `sharp` or `naive`: the class that gives it its colour.
    """
    start, end = domain
    wide = (end - start) or 1.0

    def place(number: float) -> str:
        return f"{100 * (min(max(number, start), end) - start) / wide:.2f}"

    parts = [
        f'<line class="neutral" x1="{place(neutral)}" x2="{place(neutral)}" y1="0" y2="24"/>',
    ]
    if low is not None and high is not None:
        parts.append(f'<line class="{kind}" x1="{place(low)}" x2="{place(high)}" y1="12" y2="12"/>')
        parts += [
            f'<line class="{kind} end" x1="{place(limit)}" x2="{place(limit)}" y1="8" y2="16"/>'
            for limit in (low, high)
        ]
    if value is not None:
        # a line of no length with round ends stays a dot however the strip is stretched
        parts.append(
            f'<line class="{kind} dot" x1="{place(value)}" x2="{place(value)}" y1="12" y2="12"/>'
        )
    body = "".join(parts)
    return Markup(
        f'<svg class="strip" viewBox="0 0 100 24" preserveAspectRatio="none" aria-hidden="true">'
        f"{body}</svg>"
    )


def ratio_strip(
    value: float | None,
    low: float | None,
    high: float | None,
    domain: tuple[float, float],
    kind: str,
) -> Markup:
    """A strip for ratios: halves and doubles stand equally far from 1."""

    def log(number: float | None) -> float | None:
        return math.log2(number) if number is not None and number > 0 else None

    return strip(
        log(value),
        log(low),
        log(high),
        domain=(math.log2(domain[0]), math.log2(domain[1])),
        neutral=0,
        kind=kind,
    )


def ratio_ticks(domain: tuple[float, float]) -> list[tuple[str, float]]:
    """Doublings and halvings inside a scale of ratios, with their places on it in percent."""
    start, end = math.log2(domain[0]), math.log2(domain[1])
    powers = range(math.ceil(start), math.floor(end) + 1)
    return [
        (f"{2.0**power:g} \N{MULTIPLICATION SIGN}", 100 * (power - start) / (end - start))
        for power in powers
    ]


def ticks(domain: tuple[float, float], wanted: int = 5) -> list[tuple[float, float]]:
    """Round numbers of a scale with their places on it in percent."""
    start, end = domain
    if end <= start:
        return []
    rough = (end - start) / wanted
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * unit for unit in (1, 2, 5, 10) if power * unit >= rough)
    first = math.ceil(start / step - 1e-9)
    last = math.floor(end / step + 1e-9)
    found = [round(number * step, 10) for number in range(first, last + 1)]
    return [(number, 100 * (number - start) / (end - start)) for number in found]


def _svg(chart: Any, label: str) -> Markup:
    import vl_convert

    specification = chart.configure(
        view={"stroke": None},
        background="transparent",
        font=_FONT,
        padding={"left": 2, "right": 6, "top": 6, "bottom": 2},
        axis={
            "labelColor": "#5b6270",
            "titleColor": "#5b6270",
            "labelFontSize": 11,
            "titleFontSize": 11,
            "titleFontWeight": "normal",
            "labelPadding": 5,
        },
    )
    found = vl_convert.vegalite_to_svg(specification.to_dict())
    # Vega describes every mark; the page says the same in words and in a table, once.
    found = re.sub(r' (aria-roledescription|aria-label|role)="[^"]*"', "", found)
    return Markup(
        f'<svg class="chart" role="img" aria-label="{Markup.escape(label)}"'
        + _lean(found).removeprefix("<svg")
    )


def _lean(svg: str) -> str:
    """A drawing without what page.css says of its marks, and no finer than a tenth of a pixel."""
    svg = re.sub(r'<path class="(back|fore)ground"[^>]*/>', "", svg)
    for said in (
        "class|version|pointer-events|aria-hidden|font-[a-z]+|xmlns(:xlink)?",
        'fill(?=="#5b6270)|(opacity|stroke-width)(?=="1")',
    ):
        svg = re.sub(rf' ({said})="[^"]*"', "", svg)
    svg = re.sub(r' (d|transform)="[^"]*"', lambda one: re.sub(r"(\.\d)\d+", r"\1", one[0]), svg)
    while "<g></g>" in svg:
        svg = svg.replace("<g></g>", "")
    return svg
