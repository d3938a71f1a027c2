"""Which code is known to have passed its unit tests.

A unit test gives a model rows of its own: of one code it says the same each time, whatever was
loaded and whatever the registries say. A whole build runs them until all have passed on one
machine, and again when the code, dbt or the engine changes; data tests run in every build.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

LEFT_OUT = ["--exclude-resource-type", "unit_test"]
APART = "COUNTERFOIL_UNIT_TESTS"
"""What tells macros/house/whole_build.sql that a build without them is whole."""

KEPT = 20


def passed_before(project: Path, code: str) -> bool:
    """Whether this code's unit tests have all passed."""
    return code in _read(_record(project))


def remember(project: Path, code: str, manifest: Any, results: list[Any]) -> None:
    """Note that they have, if a build without a failure ran all of them.

    Where the project cannot be written they are run each time.
    """
    if not {result.node.unique_id for result in results} >= manifest.unit_tests.keys():
        return
    path = _record(project)
    known = [other for other in _read(path) if other != code]
    part = path.with_suffix(f".{code[:12]}.part")
    try:
        path.parent.mkdir(exist_ok=True)
        part.write_text(json.dumps([*known, code][-KEPT:]), encoding="utf-8")
        part.replace(path)
    except OSError:
        part.unlink(missing_ok=True)


def code_of(project: Path, manifest: Any, packages: Sequence[str]) -> str:
    """One hash of all that an answer of a unit test depends on.

    Args:
        project: the dbt project, whose vars count too.
        manifest: of it, parsed, before other registries take their places in it.
        packages: distributions that the answers come from.
    """
    from importlib.metadata import version

    parts: list[Any] = [[name, version(name)] for name in packages]
    parts.append((project / "dbt_project.yml").read_text(encoding="utf-8"))
    parts += [[key, macro.macro_sql] for key, macro in manifest.macros.items()]
    for key, node in manifest.nodes.items():
        if node.resource_type in ("model", "seed"):
            columns = [[column.name, column.data_type] for column in node.columns.values()]
            code = node.raw_code if node.resource_type == "model" else ""
            parts.append([key, code, columns, node.config.to_dict()])
    for key, unit in manifest.unit_tests.items():
        parts.append([key, [given.to_dict() for given in unit.given], unit.expect.to_dict()])
        parts.append([key, unit.overrides.to_dict() if unit.overrides else None])
    parts += [[key, fixture.rows] for key, fixture in manifest.fixtures.items()]
    texts = sorted(json.dumps(part, sort_keys=True, default=str) for part in parts)
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()


def _record(project: Path) -> Path:
    return project / "target" / "unit_tests_passed.json"


def _read(path: Path) -> list[str]:
    try:
        said = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return []
    return [code for code in said if isinstance(code, str)] if isinstance(said, list) else []
