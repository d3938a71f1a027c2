"""Who reads what: models/exposures.yml names every relation that Python reads, and no other."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipelines.settings import PROJECT_DIR
from pipelines.sql import names_in

EXPOSURES = PROJECT_DIR / "models" / "exposures.yml"
ONLY_WORDS = "pipelines.built.quoting"
"""What of `built` reads nothing."""

Reads = dict[str, set[str]]
"""Relations by room: a package of pipelines/, a module beside them, or a part an exposure names."""


@cache
def models(project: Path = PROJECT_DIR) -> set[str]:
    """The name of every model."""
    return {path.stem for path in (project / "models").rglob("*.sql")}


@cache
def relations(project: Path = PROJECT_DIR) -> set[str]:
    """The name of every model and seed."""
    return models(project) | {path.stem for path in (project / "seeds").rglob("*.csv")}


def heap_models() -> set[str]:
    """Models that leave: the publisher finds them in the manifest, not by name."""
    return {
        str(model["name"])
        for path in (PROJECT_DIR / "models" / "heap").rglob("*.yml")
        for model in (yaml.safe_load(path.read_text(encoding="utf-8")) or {}).get("models", [])
        if "heap" in ((model.get("config") or {}).get("meta") or {})
    }


def texts(code: str) -> Iterator[tuple[str, bool]]:
    """Every text of a module, but for what describes the code, and whether it is the key of a row.

    A registry's name is a plain word, so as a key it says nothing of what is read.
    """
    tree = ast.parse(code)
    described: set[int] = set()
    keys: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr):
            described.add(id(node.value))
        elif isinstance(node, ast.Dict):
            keys |= {id(key) for key in node.keys}
        elif isinstance(node, ast.Subscript):
            keys.add(id(node.slice))
    for node in ast.walk(tree):
        if not isinstance(node, ast.Constant) or id(node) in described:
            continue
        if isinstance(node.value, str):
            yield node.value, id(node) in keys


def opens(code: str) -> bool:
    """Whether a module imports what reads the warehouse, in any form, or knows where it lies."""
    imported: set[str] = set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            imported |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Attribute) and node.attr == "warehouse_path":
            return True
    built = {name for name in imported if f"{name}.".startswith("pipelines.built.")}
    return any(not f"{name}.".startswith(f"{ONLY_WORDS}.") for name in built)


def rooms(project: Path = PROJECT_DIR) -> Iterator[tuple[str, list[Path], list[Path]]]:
    """Each room of pipelines/ but `built`, with its modules and its statements."""
    for path in sorted((project / "pipelines").iterdir()):
        if path.is_dir() and path.name not in {"built", "__pycache__"}:
            yield path.name, sorted(path.rglob("*.py")), sorted(path.rglob("*.sql"))
        elif path.suffix == ".py":
            yield path.stem, [path], []


def reads(project: Path = PROJECT_DIR, file: Path = EXPOSURES) -> Reads:
    """What each room that reads the warehouse names: whole texts, and `{name}` in statements.

    What lies in a part that an exposure names by itself (`review/recounts`) counts there alone.
    """
    known = relations(project)
    parts = sorted({part for _, its_rooms, _ in declared(file) for part in its_rooms}, key=len)
    found: Reads = defaultdict(set)

    def part_of(room: str, path: Path) -> str:
        place = str(path.relative_to(project / "pipelines").with_suffix(""))
        return next((one for one in parts[::-1] if f"{place}/".startswith(f"{one}/")), room)

    for room, paths, statements in rooms(project):
        modules = {path: path.read_text(encoding="utf-8") for path in paths}
        if not any(opens(code) for code in modules.values()):
            continue
        for path, code in modules.items():
            named = found[part_of(room, path)]
            for text, is_key in texts(code):
                named |= {text} & (models(project) if is_key else known)
                named |= set(re.findall(r"\{(\w+)\}", text)) & known
        for path in statements:
            found[part_of(room, path)] |= set(names_in(path)) & known
    return found


def placed(project: Path = PROJECT_DIR) -> list[str]:
    """Relations that a text or statement of pipelines/ names with their schema.

    Such a one escapes `reads`, and the one way to read.
    """
    domains = sorted(path.name for path in (project / "models").iterdir() if path.is_dir())
    known = "|".join(sorted(relations(project), key=len, reverse=True))
    pattern = re.compile(
        rf"""\b(?:marts|registries)"?\."?\w+|\b(?:{"|".join(domains)})"?\."?(?:{known})\b"""
    )
    said: list[str] = []
    for room, paths, statements in rooms(project):
        all_texts = [text for path in paths for text, _ in texts(path.read_text(encoding="utf-8"))]
        all_texts += [re.sub(r"--.*", "", file.read_text(encoding="utf-8")) for file in statements]
        for text in all_texts:
            said += [f"pipelines/{room} places {name}" for name in pattern.findall(text)]
    return said


def declared(file: Path = EXPOSURES) -> list[tuple[str, list[str], set[str]]]:
    """Name, rooms and relations of each exposure."""
    exposures: list[dict[str, Any]] = yaml.safe_load(file.read_text(encoding="utf-8"))["exposures"]
    return [
        (
            one["name"],
            one["config"]["meta"]["rooms"],
            {re.findall(r"ref\('(\w+)'\)", dependency)[0] for dependency in one["depends_on"]},
        )
        for one in exposures
    ]


def faults(project: Path = PROJECT_DIR, file: Path = EXPOSURES) -> list[str]:
    """What the exposures and the code do not agree in."""
    found, exposures, known = reads(project, file), declared(file), relations(project)
    leaving = heap_models()
    all_rooms = {room for _, its_rooms, _ in exposures for room in its_rooms}
    said: list[str] = []
    for room, names in sorted(found.items()):
        if room not in all_rooms:
            said += [f"pipelines/{room} reads {name}" for name in sorted(names)]
    for exposure, its_rooms, held in exposures:
        for room in its_rooms:  # that another exposure names it is no excuse
            said += [f"pipelines/{room} reads {name}" for name in sorted(found[room] - held)]
        read = {name for room in its_rooms for name in found[room]}
        if exposure == "publisher":
            said += [f"{exposure} lacks {name}" for name in sorted(leaving - held)]
            read |= leaving
        said += [f"{exposure}: nobody reads {name}" for name in sorted(held & known - read)]
        said += [f"{exposure}: there is no {name}" for name in sorted(held - known)]
    return said + placed(project)


def test_exposures_name_what_python_reads_and_nothing_else() -> None:
    assert len(heap_models()) >= 5
    assert {"review", "heap", "checklist", "explain", "identity", "segments"} <= set(reads())
    assert faults() == []


OPENED = "from pipelines.built.tables import Tables\n"


@pytest.mark.parametrize(
    ("file", "code", "said"),
    [
        (
            "segments/two.py",
            'tables.rows("select 1", reads=["fct_source_freshness"])',
            "segments reads fct_source_freshness",
        ),
        (
            "segments/two.py",
            'tables.value("select count(*) from {dim_persons}", reads=ALL)',
            "segments reads dim_persons",
        ),
        ("segments/two.py", 'READS = {"stg_heap__users": "i"}', "segments reads stg_heap__users"),
        (
            "segments/two.sql",
            "select count(*) from {fct_identity_links}",
            "segments reads fct_identity_links",
        ),
        (
            "segments/two.py",
            'tables.db.execute("select 1 from marts.fct_lift")',
            "segments places marts.fct_lift",
        ),
        ("segments/two.py", 'PLACE = \'"marts"."fct_lift"\'', 'segments places marts"."fct_lift'),
        (
            "segments/two.py",
            'db.execute(f"select {one} from heap.heap_refusals")',
            "segments places heap.heap_refusals",
        ),
        (
            "segments/two.sql",
            "select 1 from identity.int_identity__rules",
            "segments places identity.int_identity__rules",
        ),
        ("road.py", OPENED + 'NAME = "fct_lift"', "road reads fct_lift"),
        (
            "checks/one.py",
            'from pipelines.built import tables\nNAME = "fct_lift"',
            "checks reads fct_lift",
        ),
        (
            "checks/one.py",
            'from pipelines import built\nNAME = "fct_lift"',
            "checks reads fct_lift",
        ),
        (
            "checks/one.py",
            'import pipelines.built.tables as t\nNAME = "fct_lift"',
            "checks reads fct_lift",
        ),
    ],
)
def test_a_relation_that_nobody_declared_is_found(
    tmp_path: Path, file: str, code: str, said: str
) -> None:
    for folder in ("models", "seeds"):
        (tmp_path / folder).symlink_to(PROJECT_DIR / folder)
    written = tmp_path / "pipelines" / file
    written.parent.mkdir(parents=True)
    written.write_text(code)
    if file.startswith("segments"):
        written.with_name("one.py").write_text(OPENED)
    assert f"pipelines/{said}" in faults(tmp_path)


def test_a_relation_that_is_gone_or_unread_is_found(tmp_path: Path) -> None:
    text = EXPOSURES.read_text(encoding="utf-8")
    line = "      - ref('fct_segment_memberships')\n"
    assert line in text
    wrong = tmp_path / "exposures.yml"
    wrong.write_text(text.replace(line, line + "      - ref('fct_gone')\n"))
    assert any(said.endswith("there is no fct_gone") for said in faults(file=wrong))
    wrong.write_text(text.replace(line, line + "      - ref('stg_heap__users')\n"))
    assert any(said.endswith("nobody reads stg_heap__users") for said in faults(file=wrong))
    line = "      - ref('fct_lift_history')\n"
    assert text.count(line) == 2
    wrong.write_text(text.replace(line, "", 1))
    assert "pipelines/review reads fct_lift_history" in faults(file=wrong)
    wrong.write_text(text.replace("      - ref('heap_cio_message_sent')\n", ""))
    assert "publisher lacks heap_cio_message_sent" in faults(file=wrong)
