"""Sheets checked: cell by cell, row against row, and each registry against those it names."""

from __future__ import annotations

from collections.abc import Mapping

from pipelines.plural import plural
from pipelines.registries import cells, nearest
from pipelines.registries.cells import Value
from pipelines.registries.rules import Registry
from pipelines.registries.sheet import Sheet

Values = dict[str, Value]
Rows = list[tuple[int, Values]]

WEIGHT_TOLERANCE = 1e-6


def check(
    registries: Mapping[str, Registry], sheets: Mapping[str, Sheet], replaced: set[str]
) -> None:
    """Write down every fault of every sheet.

    Args:
        replaced: the registries that somebody put in the place of ours. What ours name and theirs
            do not hold belongs to the brand that ours describe, and is no fault.
    """
    whole = {name for name, sheet in sheets.items() if not sheet.faults}
    tables = {name: _cells(registry, sheets[name]) for name, registry in registries.items()}
    for name, registry in registries.items():
        sheet, rows = sheets[name], tables[name]
        for columns in registry.unique:
            _check_unique(sheet, rows, columns)
        _check_rows(registry, sheet, rows)
        _check_sums(registry, sheet, rows)
        _check_circles(registry, sheet, rows)
        for rule in registry.rules.values():
            if rule.names is None or (replaced and name not in replaced):
                continue
            if rule.names[0] in whole:
                _check_names(sheet, rows, rule.column, sheets[rule.names[0]], rule.names[1])


def _cells(registry: Registry, sheet: Sheet) -> Rows:
    """The rows with their values; a cell that was refused has none and is not looked at again."""
    rows: Rows = []
    for line, row in sheet.rows:
        values: Values = {}
        for column, rule in registry.rules.items():
            text = row[column]
            if cells.is_empty(text):
                values[column] = None
                text = rule.empty_means
                if not text:
                    if rule.is_required:
                        sheet.fault("is empty and must not be", line, column)
                    continue
            try:
                values[column] = cells.read(text, rule)
            except cells.Refused as refused:
                values.pop(column, None)
                sheet.fault(str(refused), line, column)
        rows.append((line, values))
    return rows


def _check_unique(sheet: Sheet, rows: Rows, columns: tuple[str, ...]) -> None:
    first: dict[tuple[Value, ...], int] = {}
    for line, values in rows:
        if any(column not in values for column in columns):
            continue
        found = tuple(values[column] for column in columns)
        if found in first:
            more = f" with the same {' and '.join(columns[1:])}" if len(columns) > 1 else ""
            sheet.fault(f"is that of line {first[found]}{more}: keep one", line, columns[0])
        else:
            first[found] = line


def _check_rows(registry: Registry, sheet: Sheet, rows: Rows) -> None:
    for column, rule in registry.rules.items():
        for line, values in rows:
            value = values.get(column)
            start = values.get(rule.after)
            if value is not None and start is not None and not value > start:  # type: ignore[operator]
                sheet.fault(f"should be after `{rule.after}`", line, column)
            for other, said in rule.needed_where.items():
                if column in values and value is None and values.get(other) == said:
                    sheet.fault(f"is empty, and `{other}` {said} needs it", line, column)


def _check_sums(registry: Registry, sheet: Sheet, rows: Rows) -> None:
    """Weights of one allocation version sum to one (within 1e-6)."""
    if registry.sums_to_one is None:
        return
    column, by = registry.sums_to_one
    sums: dict[tuple[Value, ...], tuple[float, int]] = {}
    broken: set[tuple[Value, ...]] = set()
    for line, values in rows:
        group = tuple(values.get(name) for name in by)
        if column not in values or any(name not in values for name in by):
            broken.add(group)
        total, first = sums.get(group, (0.0, line))
        share = values.get(column)
        sums[group] = (total + (share if isinstance(share, float) else 0.0), first)
    for group, (total, line) in sums.items():
        if group not in broken and abs(total - 1.0) > WEIGHT_TOLERANCE:
            named = ", ".join(
                f"{name.replace('_', ' ')} {nearest.shown(str(value))}"
                for name, value in zip(by, group, strict=True)
            )
            sheet.fault(f"of {named} sums to {total:.6f}, not to 1", line, column)


def _check_circles(registry: Registry, sheet: Sheet, rows: Rows) -> None:
    """No chain of lines comes back to where it began; told at the last line of a circle."""
    if registry.never_back is None:
        return
    start, end, by = registry.never_back
    told: set[tuple[int, ...]] = set()
    groups = {values[by] for _, values in rows if values.get(by) is not None} or {None}
    for group in groups:
        steps: dict[Value, list[tuple[int, Value]]] = {}
        for line, values in rows:
            is_here = by in values and values[by] in (None, group)
            if is_here and values.get(start) is not None and values.get(end) is not None:
                steps.setdefault(values[start], []).append((line, values[end]))
        told.update(_circles(steps))
    for *others, line in sorted(told, key=lambda circle: circle[-1]):
        if others:
            lines = f"{plural('line', len(others))} {', '.join(map(str, others[:3]))}"
            lines += f" and {len(others) - 3:,} more" if len(others) > 3 else ""
            said = f"leads back to `{start}` over {lines}: leave one of them out"
        else:
            said = f"is the same as `{start}`: leave the line out"
        sheet.fault(said, line, end)


def _circles(steps: Mapping[Value, list[tuple[int, Value]]]) -> set[tuple[int, ...]]:
    """The lines of each circle, sorted. A step leads from a value to those that follow it."""
    found: set[tuple[int, ...]] = set()
    done: set[Value] = set()
    for root in steps:
        if root in done:
            continue
        path: list[Value] = [root]
        lines: list[int] = []
        places = {root: 0}
        left = [iter(steps[root])]
        while left:
            line, value = next(left[-1], (0, None))
            if not line:
                left.pop()
                last = path.pop()
                del places[last]
                done.add(last)
                if lines:
                    lines.pop()
            elif value in places:
                found.add(tuple(sorted([*lines[places[value] :], line])))
            elif value not in done and value in steps:
                places[value] = len(path)
                path.append(value)
                lines.append(line)
                left.append(iter(steps[value]))
    return found


def _check_names(sheet: Sheet, rows: Rows, column: str, other: Sheet, named: str) -> None:
    known = {row[named] for _, row in other.rows if not cells.is_empty(row[named])}
    for line, values in rows:
        value = values.get(column)
        if value is not None and value not in known:
            meant = nearest.of(str(value), known)
            said = f"{nearest.shown(str(value))} is no `{named}` of {other.path.name}"
            sheet.fault(said + (f": write `{meant}`" if meant else ": add it there"), line, column)
