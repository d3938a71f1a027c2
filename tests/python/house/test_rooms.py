"""The rooms of `pipelines/`: no circle of imports, no module that became a house of its own."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.settings import PROJECT_DIR

OWN = {
    "built": {"built"},
    "registries": {"registries"},
    "sandbox": {"sandbox"},
    "engines": {"engines", "built", "loading"},
    "calling": {"calling"},
    "audiences": {"audiences", "heap", "built", "loading", "calling"},
    "receiver": {"receiver"},
    "heap": {"heap", "built", "loading", "calling"},
    "loading": {"loading", "built", "erasure", "registries"},
    "identity": {"identity", "built", "experiments", "registries"},
    "segments": {"segments", "built"},
    "sample": {"sample", "built", "review"},
}
"""Rooms that a room imports; modules that lie in no room are everybody's."""

MOST_LINES = 400
MOST_PARAMETERS = 10

MOST_LINES_OF_SQL = 10
SQL = re.compile(r"\s*(--[^\n]*\s+)*(select|with|create|insert|copy)\b")
NO_STATEMENT = {"pipelines.segments.scaffold", "pipelines.segments.finding_text"}
"""Modules with the text of a model that somebody goes on writing: nothing that Python runs."""


def sources(folder: Path) -> dict[str, tuple[Path, ast.Module]]:
    """Every module below a folder by its dotted name, parsed."""
    found = {}
    for path in sorted(folder.rglob("*.py")):
        parts = path.relative_to(folder.parent).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        found[name] = (path, ast.parse(path.read_text(encoding="utf-8")))
    return found


def imported_at_once(body: list[ast.stmt]) -> Iterator[ast.Import | ast.ImportFrom]:
    """What runs when the module is imported: not in functions, not for the type checker only."""
    for node in body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node
        elif isinstance(node, ast.If):
            if "TYPE_CHECKING" not in ast.unparse(node.test):
                yield from imported_at_once(node.body)
            yield from imported_at_once(node.orelse)
        elif isinstance(node, ast.Try):
            for part in (node.body, node.orelse, node.finalbody):
                yield from imported_at_once(part)
        elif isinstance(node, ast.With | ast.ClassDef):
            yield from imported_at_once(node.body)


def packages_above(name: str) -> set[str]:
    parts = name.split(".")
    return {".".join(parts[:count]) for count in range(1, len(parts))}


def imports(modules: dict[str, tuple[Path, ast.Module]]) -> dict[str, set[str]]:
    """Which modules each module needs before it is whole.

    A module needs the packages that its imports lie in too, but not those that it lies in itself:
    these are being imported already.
    """
    found = {}
    for name, (path, tree) in modules.items():
        needed: set[str] = set()
        for node in imported_at_once(tree.body):
            if isinstance(node, ast.Import):
                needed |= {alias.name for alias in node.names}
            elif node.module and not node.level:
                inside = {f"{node.module}.{alias.name}" for alias in node.names} & set(modules)
                needed |= inside
                if len(inside) < len(node.names):
                    needed.add(node.module)
        needed |= {above for other in needed for above in packages_above(other)}
        own = packages_above(name) | {name}
        if path.stem == "__init__":
            own = {name, *packages_above(name)}
        found[name] = (needed & set(modules)) - own
    return found


def circles(needed: dict[str, set[str]]) -> list[list[str]]:
    """Each circle once, from where it is entered."""
    found: list[list[str]] = []
    done: set[str] = set()

    def walk(name: str, road: list[str]) -> None:
        if name in road:
            found.append([*road[road.index(name) :], name])
        elif name not in done:
            for other in sorted(needed[name]):
                walk(other, [*road, name])
            done.add(name)

    for name in sorted(needed):
        walk(name, [])
    return found


def long_statements(tree: ast.Module) -> list[int]:
    """The lines where a string begins that is more SQL than a string should hold."""
    found = []
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        text = ""
        if isinstance(node, ast.JoinedStr):
            # what an f-string inserts may be another one
            waiting += [part.value for part in node.values if isinstance(part, ast.FormattedValue)]
            text = "".join(
                str(part.value) if isinstance(part, ast.Constant) else "x" for part in node.values
            )
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            text = node.value
        else:
            waiting += ast.iter_child_nodes(node)
        if (
            isinstance(node, ast.expr)
            and SQL.match(text)
            and len(text.strip().splitlines()) > MOST_LINES_OF_SQL
        ):
            found.append(node.lineno)
    return sorted(found)


@pytest.fixture(scope="module")
def modules() -> dict[str, tuple[Path, ast.Module]]:
    return sources(PROJECT_DIR / "pipelines")


def test_no_module_imports_itself_around_a_corner(
    modules: dict[str, tuple[Path, ast.Module]],
) -> None:
    assert len(modules) > 80
    assert [" -> ".join(circle) for circle in circles(imports(modules))] == []


def test_a_circle_is_found(tmp_path: Path) -> None:
    room = tmp_path / "room"
    (room / "inner").mkdir(parents=True)
    (room / "__init__.py").write_text("from room.first import FIRST\n")
    (room / "first.py").write_text("from room.inner.second import SECOND\n")
    (room / "inner" / "__init__.py").write_text("from room import third\n")
    (room / "inner" / "second.py").write_text("SECOND = 2\n")
    (room / "third.py").write_text("def later():\n    from room import first\n")
    assert circles(imports(sources(room))) == []
    (room / "third.py").write_text("from room import first\n")
    assert circles(imports(sources(room))) == [
        ["room.first", "room.inner", "room.third", "room.first"]
    ]


def test_no_module_is_longer_than_one_noun_needs(
    modules: dict[str, tuple[Path, ast.Module]],
) -> None:
    long = {
        str(path.relative_to(PROJECT_DIR))
        for path in (PROJECT_DIR / "cli.py", *(path for path, _ in modules.values()))
        if len(path.read_text(encoding="utf-8").splitlines()) > MOST_LINES
    }
    assert long == set()


def greedy(tree: ast.Module) -> list[str]:
    """The functions that take more parameters than anybody keeps in mind."""
    return [
        node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and len([*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]) > MOST_PARAMETERS
    ]


def test_no_function_takes_eleven_parameters(
    modules: dict[str, tuple[Path, ast.Module]],
) -> None:
    assert {name: greedy(tree) for name, (_, tree) in modules.items() if greedy(tree)} == {}
    ten = ", ".join(f"a_{number}" for number in range(9)) + ", *, last"
    assert greedy(ast.parse(f"async def ten({ten}): ...")) == []
    assert greedy(ast.parse(f"async def eleven(first, {ten}): ...")) == ["eleven"]


@pytest.mark.parametrize("room", OWN)
def test_a_room_knows_those_it_may_know(
    room: str, modules: dict[str, tuple[Path, ast.Module]]
) -> None:
    seen = {
        other.split(".")[1]
        for module, others in imports(modules).items()
        if module.startswith(f"pipelines.{room}.")
        for other in others
        if other.count(".") > 1
    }
    assert seen <= OWN[room]


def test_sql_of_more_than_ten_lines_lies_in_a_file(
    modules: dict[str, tuple[Path, ast.Module]],
) -> None:
    held = {
        f"{path.relative_to(PROJECT_DIR)}:{line}"
        for module, (path, tree) in modules.items()
        if module not in NO_STATEMENT
        for line in long_statements(tree)
    }
    assert held == set(), "keep these in .sql files beside the module, see pipelines/sql.py"


def test_a_long_statement_is_found() -> None:
    ten = "\n".join(["select", *(f"    {{number}} as a_{number}," for number in range(9))])
    eleven = f"{ten}\nfrom persons"
    said = eleven.replace("select", "Select what there is.")
    for before, text, found in (
        ("", ten, []),
        ("", eleven, [1]),
        ("f", eleven, [1]),
        ("f", f"\n    -- why\n{eleven}", [1]),
        ("", said, []),
    ):
        source = f'{before}"""{text}"""\n'
        assert long_statements(ast.parse(source)) == found, source


def connects(tree: ast.Module) -> bool:
    """Whether a module connects to the warehouse by itself: `duckdb.connect` with its path."""
    return any(
        isinstance(node, ast.Call)
        and ast.unparse(node.func).split(".")[-1] == "connect"
        and re.search(r"warehouse_path|warehouse\.duckdb", ast.unparse(node)) is not None
        for node in ast.walk(tree)
    )


def test_only_built_connects_to_the_warehouse(
    modules: dict[str, tuple[Path, ast.Module]],
) -> None:
    assert {name for name, (_, tree) in modules.items() if connects(tree)} == {
        "pipelines.built.tables"
    }


@pytest.mark.parametrize(
    "code",
    [
        "duckdb.connect(str(settings.warehouse_path), read_only=True)",
        "def one():\n    with connect(home / 'warehouse.duckdb') as db:\n        pass",
    ],
)
def test_a_connection_of_its_own_is_found(code: str) -> None:
    assert connects(ast.parse(code))
    assert not connects(ast.parse(code.replace("warehouse", "ledger")))
