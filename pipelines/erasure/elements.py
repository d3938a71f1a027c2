"""Elements of lists in JSON: each is about one person, and goes without the others.

A page of who entered a segment names many people, by an `id` whose kind nobody says. It is
rewritten without the elements of one of them, however short the id: it stands there alone.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from pipelines.loading.families import Family
from pipelines.loading.identifiers import Owner

KINDS: tuple[Owner, ...] = ("customer_id", "email", "heap_identity", "cio_id", "anonymous_id")
"""What the id of an element may be."""

Theirs = Callable[[Iterable[str]], set[str]]
"""Which of some ids are of the erased."""


def elements_of(family: Family) -> dict[str, tuple[str, ...]]:
    """The lists of a family whose elements are people, by column."""
    return {column.name: column.elements for column in family.declared if column.elements}


def ids_in(value: object, lists: Iterable[str]) -> set[str]:
    """The ids of the elements of some lists in a JSON value."""
    return {
        found
        for name in lists
        for element in _list(_parsed(value), name)
        if (found := _id(element)) is not None
    }


def without(value: object, lists: Iterable[str], theirs: set[str]) -> object:
    """A JSON value without the elements whose id is in `theirs`; itself when there are none."""
    found = _parsed(value)
    is_changed = False
    for name in lists:
        held = _list(found, name)
        kept = [element for element in held if _id(element) not in theirs]
        if len(kept) < len(held):
            held[:] = kept
            is_changed = True
    if not is_changed:
        return value
    return json.dumps(found, ensure_ascii=False) if isinstance(value, str) else found


def each_text(
    values: Iterable[tuple[int, str | None]], lists: Iterable[str], theirs: Theirs
) -> Iterator[tuple[int, str]]:
    """Those of some numbered JSON texts that lose elements, as they are without."""
    some = [(number, text) for number, text in values if text]
    mine = theirs({found for _, text in some for found in ids_in(text, lists)})
    for number, text in some if mine else ():
        kept = without(text, lists, mine)
        if kept is not text:
            yield number, str(kept)


def _parsed(value: object) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return None


def _list(found: Any, name: str) -> list[Any]:
    """The list at some keys with dots between, itself; an empty one where there is none."""
    for key in name.split("."):
        found = found.get(key) if isinstance(found, dict) else None
    return found if isinstance(found, list) else []


def _id(element: object) -> str | None:
    given = element.get("id") if isinstance(element, dict) else None
    if isinstance(given, bool) or not isinstance(given, str | int | float):
        return None
    whole = isinstance(given, float) and given.is_integer()
    return str(int(given)) if whole else str(given)
