"""What a relation is made from, as dbt's manifest of the last build tells it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

KINDS = {"model": "model", "seed": "registry", "source": "source"}


@dataclass(frozen=True)
class Ancestor:
    """One relation that others are made from.

    Attributes:
        kind: model, registry or source.
        level: the longest way to it, in steps; 1 is read directly.
        path: its file in the project; for a registry the file's name, wherever it was read from.
    """

    name: str
    kind: str
    level: int
    path: str


class Lineage:
    """Descriptions, files and ancestors by relation name; knows nothing without a manifest."""

    def __init__(self, manifest: dict[str, Any]) -> None:
        nodes = {**(manifest.get("nodes") or {}), **(manifest.get("sources") or {})}
        self._nodes: dict[str, dict[str, Any]] = {
            key: node for key, node in nodes.items() if node.get("resource_type") in KINDS
        }
        self._macros: dict[str, dict[str, Any]] = manifest.get("macros") or {}
        self._ids = {
            str(node.get("alias") or node["name"]): key
            for key, node in self._nodes.items()
            if node["resource_type"] != "source"
        }

    def description(self, relation: str, column: str = "") -> str:
        """What the project says about a relation, or about one of its columns; may be empty."""
        node = self._nodes.get(self._ids.get(relation, ""), {})
        told = (node.get("columns") or {}).get(column, {}) if column else node
        return " ".join(str(told.get("description") or "").split())

    def path(self, relation: str) -> str:
        """Its file in the project; empty when it is not known."""
        key = self._ids.get(relation)
        return _path(self._nodes[key]) if key else ""

    def parents(self, relation: str) -> list[str]:
        """The models and registries it reads directly, by relation name."""
        return [
            _called(self._nodes[key])
            for key in self._parents(self._ids.get(relation, ""))
            if self._nodes[key]["resource_type"] != "source"
        ]

    def upstream(self, relations: Iterable[str]) -> list[Ancestor]:
        """Everything they rest on, nearest first: nothing stands before what is made from it."""
        starts = [self._ids[name] for name in relations if name in self._ids]
        ordered: dict[str, None] = {}
        for start in starts:
            self._visit(start, ordered)
        levels = dict.fromkeys(ordered, 0)
        for key in reversed(ordered):
            for parent in self._parents(key):
                levels[parent] = max(levels[parent], levels[key] + 1)
        found = [
            Ancestor(
                _called(self._nodes[key]),
                KINDS[self._nodes[key]["resource_type"]],
                level,
                _path(self._nodes[key]),
            )
            for key, level in levels.items()
            if key not in starts
        ]
        return sorted(found, key=lambda one: (one.kind == "source", one.level, one.name))

    def users_of_macro(self, name: str) -> frozenset[str]:
        """The models whose SQL is made with a macro, by itself or through another."""
        users = {key for key, macro in self._macros.items() if macro["name"] == name}
        grown = True
        while grown:
            more = {
                key
                for key, macro in self._macros.items()
                if key not in users and users & set(_macros_of(macro))
            }
            users |= more
            grown = bool(more)
        return frozenset(
            _called(node) for node in self._nodes.values() if users & set(_macros_of(node))
        )

    def users_of_var(self, name: str) -> frozenset[str]:
        """The models whose SQL asks for a var, by itself or through a macro."""
        asked = re.compile(rf"""\bvar\(\s*["']{re.escape(name)}["']""")
        found = {
            _called(node)
            for node in self._nodes.values()
            if asked.search(str(node.get("raw_code") or ""))
        }
        for macro in self._macros.values():
            if asked.search(str(macro.get("macro_sql") or "")):
                found |= self.users_of_macro(macro["name"])
        return frozenset(found)

    def _visit(self, key: str, ordered: dict[str, None]) -> None:
        """Parents before children."""
        if key not in ordered:
            for parent in self._parents(key):
                self._visit(parent, ordered)
            ordered[key] = None

    def _parents(self, key: str) -> list[str]:
        depends = self._nodes.get(key, {}).get("depends_on") or {}
        return [parent for parent in depends.get("nodes") or [] if parent in self._nodes]


def _called(node: dict[str, Any]) -> str:
    if node["resource_type"] == "source":
        return f"{node['source_name']}.{node['name']}"
    return str(node.get("alias") or node["name"])


def _macros_of(node: dict[str, Any]) -> list[str]:
    return (node.get("depends_on") or {}).get("macros") or []


def _path(node: dict[str, Any]) -> str:
    path = PurePosixPath(str(node.get("original_file_path") or ""))
    is_registry = node["resource_type"] == "seed"
    return path.name if is_registry or path.is_absolute() or ".." in path.parts else str(path)
