"""The rooms of pipelines/: no module needs itself, and a room knows only those it may know."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from pipelines.settings import PROJECT_DIR

PIPELINES = PROJECT_DIR / "pipelines"
OWN = {
    "built": {"built"},
    "sandbox": {"sandbox"},
    "heap": {"heap", "built", "loading"},
    "loading": {"loading", "built", "erasure"},
    "identity": {"identity", "built", "experiments"},
    "segments": {"segments", "built"},
    "sample": {"sample", "built", "review"},
}
"""Rooms that a room imports; modules that lie in no room are everybody's."""


def named(path: Path, root: Path) -> str:
    """`pipelines.heap.plan` for its file."""
    return ".".join(path.relative_to(root.parent).with_suffix("").parts).removesuffix(".__init__")


def imported(code: str) -> Iterator[str]:
    """What a module imports when it is imported itself: not what a function or a type needs."""
    for node in ast.parse(code).body:
        if isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{name.name}" for name in node.names)
        elif isinstance(node, ast.Import):
            yield from (name.name for name in node.names)


@cache
def imports(root: Path = PIPELINES) -> dict[str, list[str]]:
    """Modules of ours by module; a package's list of what it offers is left out."""
    files = {named(path, root): path for path in sorted(root.rglob("*.py"))}
    modules = {name: path for name, path in files.items() if path.stem != "__init__"}
    return {
        name: sorted({one for one in imported(path.read_text()) if one in modules})
        for name, path in modules.items()
    }


def circles(graph: dict[str, list[str]]) -> list[list[str]]:
    """Ways from a module back to itself, one for each module that closes one."""
    found: list[list[str]] = []
    done: set[str] = set()

    def visit(module: str, way: list[str]) -> None:
        if module in way:
            found.append([*way[way.index(module) :], module])
        elif module not in done:
            for other in graph[module]:
                visit(other, [*way, module])
            done.add(module)

    for module in graph:
        visit(module, [])
    return found


def test_no_module_needs_itself() -> None:
    assert circles(imports()) == []


def test_a_circle_is_found() -> None:
    assert circles({"a": ["b"], "b": ["c"], "c": ["a"], "d": ["a"]}) == [["a", "b", "c", "a"]]
    assert circles({"a": ["b", "c"], "b": ["c"], "c": []}) == []


@pytest.mark.parametrize("room", OWN)
def test_a_room_knows_those_it_may_know(room: str) -> None:
    seen = {
        one.split(".")[1]
        for module, others in imports().items()
        if module.startswith(f"pipelines.{room}.")
        for one in others
        if one.count(".") > 1
    }
    assert seen <= OWN[room]
