"""The Heap models as dbt declares them: found through the manifest, never named in Python."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pipelines.errors import CounterfoilError
from pipelines.heap.limits import MAX_TEXT
from pipelines.heap.payload import Column, snake_case

RESERVED = ("publish_key", "heap_identity", "person_id", "occurred_at")
"""Columns of a Heap model that are not properties."""

CADENCES = {"realtime": 0, "hourly": 1, "daily": 24}
"""Hours between two publishes of a model."""

Kind = Literal["event", "user_properties"]


@dataclass(frozen=True)
class HeapModel:
    """One Heap model: its declaration in `config.meta.heap` and its contracted property names."""

    name: str
    schema: str
    alias: str
    kind: Kind
    event: str | None
    cadence: str
    reason: str
    embargo_hours: float
    owner: str
    max_new_identities: int | None
    properties: tuple[str, ...]

    @property
    def title(self) -> str:
        """What the plan calls it: the event's name, or the model's for user properties."""
        return self.event or self.name


def declared_models(manifest: Mapping[str, Any]) -> list[HeapModel]:
    """The Heap models that a manifest declares, in order of kind and name.

    Raises:
        CounterfoilError: there is none, or a declaration that the publisher must not obey.
    """
    nodes = [n for n in manifest.get("nodes", {}).values() if n.get("resource_type") == "model"]
    models = [_read_model(n) for n in nodes if _meta(n) is not None]
    if not models:
        raise CounterfoilError(
            "The build has no Heap model: a model leaves only with `meta.heap` in its yml."
        )
    _check_together(models)
    return sorted(models, key=lambda model: (model.kind, model.name))


def _meta(node: Mapping[str, Any]) -> Mapping[str, Any] | None:
    for place in (node.get("config", {}).get("meta"), node.get("meta")):
        if isinstance(place, Mapping) and isinstance(place.get("heap"), Mapping):
            heap: Mapping[str, Any] = place["heap"]
            return heap
    return None


def _read_model(node: Mapping[str, Any]) -> HeapModel:
    name = str(node["name"])
    meta = _meta(node) or {}
    contract = node.get("config", {}).get("contract") or node.get("contract") or {}
    if not contract.get("enforced"):
        raise CounterfoilError(
            f"The Heap model {name} has no enforced contract: only contracted columns may leave."
        )
    kind = meta.get("kind")
    if kind not in ("event", "user_properties"):
        raise CounterfoilError(
            f"The Heap model {name} has the kind {kind!r}: use event or user_properties."
        )
    cadence = str(meta.get("cadence", "daily"))
    if cadence not in CADENCES:
        raise CounterfoilError(
            f"The Heap model {name} has the cadence {cadence!r}: use {', '.join(CADENCES)}."
        )
    limit = meta.get("max_new_identities")
    model = HeapModel(
        name=name,
        schema=str(node.get("schema", "heap")),
        alias=str(node.get("alias") or name),
        kind=kind,
        event=str(meta["event"]) if meta.get("event") else None,
        cadence=cadence,
        reason=str(meta.get("reason", "")),
        embargo_hours=float(meta.get("embargo_hours") or 0),
        owner=str(meta.get("owner", "")),
        max_new_identities=None if limit is None else int(limit),
        properties=tuple(c for c in node.get("columns", {}) if c.lower() not in RESERVED),
    )
    _check_names(model, [str(c).lower() for c in node.get("columns", {})])
    return model


def _check_names(model: HeapModel, columns: list[str]) -> None:
    required = RESERVED if model.kind == "event" else ("heap_identity", "person_id")
    missing = [column for column in required if column not in columns]
    if missing:
        raise CounterfoilError(
            f"The Heap model {model.name} lacks {', '.join(missing)} in its contract: add it."
        )
    if model.kind == "event" and (not model.event or not snake_case(model.event)):
        raise CounterfoilError(
            f"The Heap model {model.name} needs an event name in snake_case in `meta.heap.event`."
        )
    for name in (*model.properties, model.event or model.name):
        if name.lower() in ("id", "user_id"):
            raise CounterfoilError(
                f"{model.name}.{name} clashes with Heap's own {name.lower()}: rename the column."
            )
        if not snake_case(name) or len(name) > MAX_TEXT:
            raise CounterfoilError(f"{model.name}.{name} is not snake_case: rename the column.")
    _refuse_twins(list(model.properties), model.name)


def _check_together(models: list[HeapModel]) -> None:
    events = [model.event for model in models if model.event]
    for event in events:
        if events.count(event) > 1:
            raise CounterfoilError(f"Two Heap models send the event {event}: keep one of them.")
    _refuse_twins(events, "models/heap")


def _refuse_twins(names: list[str], place: str) -> None:
    """No two names with one meaning: `order_value` and `ordervalue` are twins."""
    seen: dict[str, str] = {}
    for name in names:
        bare = name.lower().replace("_", "")
        if bare in seen:
            raise CounterfoilError(
                f"{place} has two names for one thing, {seen[bare]} and {name}: keep one of them."
            )
        seen[bare] = name


def check_types(models: list[HeapModel], columns: Mapping[str, list[Column]]) -> None:
    """One event property has one type for ever, whichever model carries it."""
    held: dict[tuple[str, str], tuple[str, str]] = {}
    for model in models:
        for column in columns.get(model.name, []):
            place = (model.kind, column.name)
            kind, other = held.setdefault(place, (column.wire_type, model.name))
            if kind != column.wire_type:
                raise CounterfoilError(
                    f"The property {column.name} is {kind} in {other} and {column.wire_type} in "
                    f"{model.name}: Heap keeps one type per property, so cast one of them."
                )
