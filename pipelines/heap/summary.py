"""A plan for people: a few lines on a terminal, and Markdown for a pull request."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from pipelines.encoding import for_terminal
from pipelines.heap.plan import Plan


def summary_lines(plan: Plan) -> list[str]:
    """The plan in lines of text, what needs attention on top; no identity is named."""
    as_of = f"{plan.as_of:%Y-%m-%d %H:%M} UTC" if plan.as_of else "unknown"
    lines = [f"plan {plan.plan_id} for {plan.target_label}, as of {as_of}"]
    attention = _attention(plan)
    if attention:
        lines += ["  needs attention", *(f"    {said}" for said in attention)]
    lines += [
        f"  events to add: {plan.count_events:,}",
        *_counted(plan.events),
        f"  properties to change: {sum(plan.properties.values()):,} of {plan.count_users:,} "
        f"identities, in {len(plan.properties)} properties",
        "  flags set back to false (left the segment, or its version retired): "
        f"{sum(plan.leavers.values()):,}",
        *_counted(plan.leavers),
        f"  rows refused: {plan.count_refused:,}",
        *_counted(_by_reason(plan.refused)),
        f"  new to Heap for ever: {len(plan.new_events)} events, {len(plan.new_properties)} "
        "properties (--markdown names them)",
        f"  identities never seen before: {plan.count_new_identities:,} of "
        f"{plan.count_identities:,}",
        *(
            f"    {arm}: {counts['told']:,} to be told, {counts['held']:,} held"
            for arm, counts in plan.newcomers.items()
        ),
        f"  calls: {plan.calls:,}, at least {plan.minutes:,.1f} minutes at Heap's limits",
    ]
    opened = len(plan.gates) - len(plan.closed_gates)
    lines.append(f"  gates open: {opened} of {len(plan.gates)} (--markdown says what each asks)")
    if plan.path:
        lines.append(f"  written to {plan.path}")
    return lines


def _attention(plan: Plan) -> list[str]:
    """What keeps rows from Heap, or cannot be taken back, in words; closed gates first."""
    said = [f"gate CLOSED {gate.name}: {gate.sentence}" for gate in plan.closed_gates]
    for label, count in plan.held_back.items():
        said.append(f"held back: {label}" + (f" ({count:,})" if count else ""))
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
    return [*said, *(f"{label}: {count:,}" for label, count in extras.items() if count)]


def _counted(counts: Mapping[str, int]) -> list[str]:
    """One line each, the most first."""
    ordered = sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))
    return [f"    {count:>9,}  {label}" for label, count in ordered]


def _by_reason(refused: Mapping[str, int]) -> dict[str, int]:
    """Refusals by their reason, whatever the event: `mart, cio_message_sent: no identity`."""
    counted: dict[str, int] = {}
    for label, count in refused.items():
        reason = label.split(": ", 1)[-1]
        counted[reason] = counted.get(reason, 0) + count
    return counted


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


def _cells(counts: Mapping[str, int]) -> str:
    return "<br>".join(f"{escape(name)}: {count:,}" for name, count in counts.items())


def _cell(text: str) -> str:
    return for_terminal(text.replace("|", "\\|"))
