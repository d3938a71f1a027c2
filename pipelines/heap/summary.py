"""A plan for people: a few lines on a terminal, and Markdown for a pull request."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from pipelines.encoding import for_terminal
from pipelines.heap.plan import Plan


def summary_lines(plan: Plan) -> list[str]:
    """The plan in lines of text; no identity is named."""
    lines = [
        f"plan {plan.plan_id} for {plan.target_label}, as of {plan.as_of or 'unknown'}",
        f"  events to add: {plan.count_events:,}{_detail(plan.events)}",
        f"  properties to change: {sum(plan.properties.values()):,} of {plan.count_users:,} "
        f"identities{_detail(plan.properties)}",
        f"  told false (left, or version retired): {sum(plan.leavers.values()):,}"
        f"{_detail(plan.leavers)}",
        f"  rows refused: {plan.count_refused:,}{_detail(plan.refused)}",
        f"  new to Heap for ever: {len(plan.new_events)} events, {len(plan.new_properties)} "
        f"properties{_names([*plan.new_events, *plan.new_properties])}",
        f"  identities never seen before: {plan.count_new_identities:,} of "
        f"{plan.count_identities:,}",
        *(
            f"    {arm}: {counts['told']:,} to be told, {counts['held']:,} held"
            for arm, counts in plan.newcomers.items()
        ),
        f"  calls: {plan.calls:,}, at least {plan.minutes:,.1f} minutes at Heap's limits",
    ]
    for label, count in plan.held_back.items():
        lines.append(f"  held back: {label}" + (f" ({count:,})" if count else ""))
    extras = {
        "rows whose identity moved after they were sent (not sent again)": plan.identities_moved,
        "events Heap was told that are otherwise now (`counterfoil explain told`)": (
            plan.told_otherwise
        ),
        "dead letters waiting (`counterfoil deadletters retry`)": plan.dead_letters_waiting,
        "text values cut at 1,023 characters": plan.values_cut,
        "rows of an interrupted call, said again under the same keys": plan.uncertain,
        "identities Heap was told that may no longer be told (`counterfoil erase`)": (
            plan.erasures_due
        ),
    }
    lines.extend(f"  {label}: {count:,}" for label, count in extras.items() if count)
    lines.extend(
        f"  gate {'open  ' if gate.is_open else 'CLOSED'} {gate.name}: {gate.sentence}"
        for gate in plan.gates
    )
    if plan.path:
        lines.append(f"  written to {plan.path}")
    return lines


def markdown(plan: Plan) -> str:
    """The plan as Markdown for a pull request; no identity is named."""
    rows = [
        ("events to add", f"{plan.count_events:,}", _cells(plan.events)),
        ("properties to change", f"{sum(plan.properties.values()):,}", _cells(plan.properties)),
        ("told `false`", f"{sum(plan.leavers.values()):,}", _cells(plan.leavers)),
        ("rows refused", f"{plan.count_refused:,}", _cells(plan.refused)),
        ("held back", f"{sum(plan.held_back.values()):,}", _cells(plan.held_back)),
        ("new events", f"{len(plan.new_events)}", ", ".join(f"`{e}`" for e in plan.new_events)),
        (
            "new properties",
            f"{len(plan.new_properties)}",
            ", ".join(f"`{p}`" for p in plan.new_properties),
        ),
        ("new identities", f"{plan.count_new_identities:,}", _cells(plan.new_identities)),
        (
            "of them by arm",
            "",
            "<br>".join(
                f"{escape(arm)}: {counts['told']:,} to be told, {counts['held']:,} held"
                for arm, counts in plan.newcomers.items()
            ),
        ),
        ("identity moved after sending", f"{plan.identities_moved:,}", ""),
        ("told, and otherwise now", f"{plan.told_otherwise:,}", ""),
        ("dead letters waiting", f"{plan.dead_letters_waiting:,}", ""),
        ("values cut", f"{plan.values_cut:,}", ""),
        ("erasures due", f"{plan.erasures_due:,}", ""),
        ("calls", f"{plan.calls:,}", f"at least {plan.minutes:,.1f} minutes at Heap's limits"),
    ]
    lines = [
        f"### Heap plan `{plan.plan_id}`",
        "",
        f"{plan.target_label}, as of {plan.as_of or 'unknown'}, ledger version "
        f"{plan.ledger_version}",
        "",
        "| what | count | detail |",
        "| --- | ---: | --- |",
        *(f"| {what} | {count} | {_cell(detail)} |" for what, count, detail in rows),
        "",
        "| gate | state | |",
        "| --- | --- | --- |",
        *(
            f"| {_cell(gate.name)} | {'open' if gate.is_open else '**closed**'} | "
            f"{_cell(gate.sentence)} |"
            for gate in plan.gates
        ),
    ]
    return "\n".join(lines) + "\n"


def _detail(counts: Mapping[str, int]) -> str:
    if not counts:
        return ""
    return " (" + "; ".join(f"{name}: {count:,}" for name, count in counts.items()) + ")"


def _names(names: list[str]) -> str:
    return f" ({', '.join(names)})" if names else ""


def _cells(counts: Mapping[str, int]) -> str:
    return "<br>".join(f"{escape(name)}: {count:,}" for name, count in counts.items())


def _cell(text: str) -> str:
    return for_terminal(text.replace("|", "\\|"))
