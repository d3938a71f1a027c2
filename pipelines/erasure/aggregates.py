"""What still counts a person when their rows are gone: figures that were made of those rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pipelines.built.tables import open_warehouse
from pipelines.erasure.columns import tables
from pipelines.errors import CounterfoilError
from pipelines.loading.identifiers import OWNERS
from pipelines.settings import Settings


def aggregates_of(settings: Settings, places: Iterable[str]) -> list[str]:
    """Relations of people in sum that were built from tables which lost rows.

    They change with the next build. Empty where no whole build says what was made of what.

    Args:
        settings: where the warehouse is.
        places: `warehouse.<schema>.<table>` of the tables that lost rows.
    """
    try:
        with open_warehouse(settings) as warehouse:
            held = {table.name: table for table in tables(warehouse.db)}
    except CounterfoilError:
        return []
    below = _below(warehouse.manifest, {place.rpartition(".")[2] for place in places})
    return sorted(
        name
        for name in below & set(held)
        if not held[name].has_any and not any(held[name].owners(kind) for kind in OWNERS)
    )


def _below(manifest: Mapping[str, Any], names: set[str]) -> set[str]:
    """Every relation that was built from these, at whatever distance."""
    nodes: dict[str, Any] = manifest.get("nodes") or {}
    children: dict[str, list[str]] = {}
    for key, node in nodes.items():
        for parent in (node.get("depends_on") or {}).get("nodes") or ():
            children.setdefault(parent, []).append(key)
    waiting = [key for key, node in nodes.items() if node.get("name") in names]
    found: set[str] = set()
    while waiting:
        for child in children.get(waiting.pop(), ()):
            if child not in found and nodes[child].get("resource_type") == "model":
                found.add(child)
                waiting.append(child)
    return {str(nodes[key]["name"]) for key in found}
