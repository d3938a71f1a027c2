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
WAYS = ("pipelines.built.tables", "settings.warehouse_path")
"""How the code of a room looks that reads the warehouse."""

Reads = dict[str, set[str]]
"""Relations by room; a room is a package of pipelines/."""


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


def reads(project: Path = PROJECT_DIR) -> Reads:
    """What each room that reads the warehouse names: whole texts, and `{name}` in statements."""
    known = relations(project)
    found: Reads = defaultdict(set)
    for folder in sorted(path for path in (project / "pipelines").iterdir() if path.is_dir()):
        modules = [path.read_text(encoding="utf-8") for path in folder.rglob("*.py")]
        if folder.name == "built" or not any(way in code for code in modules for way in WAYS):
            continue
        for text, is_key in (one for code in modules for one in texts(code)):
            found[folder.name] |= {text} & (models(project) if is_key else known)
            found[folder.name] |= set(re.findall(r"\{(\w+)\}", text)) & known
        for file in folder.rglob("*.sql"):
            found[folder.name] |= set(names_in(file)) & known
    return found


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
    found, exposures, known = reads(project), declared(file), relations(project)
    leaving = heap_models()
    said: list[str] = []
    for room, names in sorted(found.items()):
        named = {name for _, rooms, held in exposures if room in rooms for name in held}
        said += [f"pipelines/{room} reads {name}" for name in sorted(names - named)]
    for exposure, rooms, held in exposures:
        read = {name for room in rooms for name in found[room]}
        if exposure == "publisher":
            said += [f"{exposure} lacks {name}" for name in sorted(leaving - held)]
            read |= leaving
        said += [f"{exposure}: nobody reads {name}" for name in sorted(held & known - read)]
        said += [f"{exposure}: there is no {name}" for name in sorted(held - known)]
    return said


def test_exposures_name_what_python_reads_and_nothing_else() -> None:
    assert len(heap_models()) >= 5
    assert {"review", "heap", "checklist", "explain", "identity", "segments"} <= set(reads())
    assert faults() == []


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ('tables.rows("select 1", reads=["fct_source_freshness"])', "fct_source_freshness"),
        ('tables.value("select count(*) from {dim_persons}", reads=ALL)', "dim_persons"),
        ('READS = {"stg_heap__users": "identity"}', "stg_heap__users"),
        ("select count(*) from {fct_identity_links}", "fct_identity_links"),
    ],
)
def test_a_relation_that_nobody_declared_is_found(tmp_path: Path, code: str, name: str) -> None:
    for folder in ("models", "seeds"):
        (tmp_path / folder).symlink_to(PROJECT_DIR / folder)
    room = tmp_path / "pipelines" / "segments"
    room.mkdir(parents=True)
    (room / "one.py").write_text("from pipelines.built.tables import Tables\n")
    (room / ("two.sql" if code.startswith("select") else "two.py")).write_text(code)
    assert f"pipelines/segments reads {name}" in faults(tmp_path)


def test_a_relation_that_is_gone_or_unread_is_found(tmp_path: Path) -> None:
    text = EXPOSURES.read_text(encoding="utf-8")
    line = "      - ref('fct_segment_memberships')\n"
    assert line in text
    wrong = tmp_path / "exposures.yml"
    wrong.write_text(text.replace(line, line + "      - ref('fct_gone')\n"))
    assert any(said.endswith("there is no fct_gone") for said in faults(file=wrong))
    wrong.write_text(text.replace(line, line + "      - ref('stg_heap__users')\n"))
    assert any(said.endswith("nobody reads stg_heap__users") for said in faults(file=wrong))
    wrong.write_text(text.replace("      - ref('heap_cio_message_sent')\n", ""))
    assert "publisher lacks heap_cio_message_sent" in faults(file=wrong)
