"""What a page was made of: definitions, registries and loaded rows, small enough to stand in it.

Two pages are compared by it (`explain/difference.py`). It names models, macros, vars, registries
and families of input, and counts rows by day: nobody, and no file.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from datetime import timedelta
from typing import Any

from pipelines.built.tables import Record, Tables
from pipelines.settings import PROJECT_DIR

DAYS_KEPT = 120
"""Days before the page whose rows are counted one by one: conversions come for ninety days."""

SHORT = 12


def read_basis(tables: Tables) -> Record:
    """The basis of the build that is open, as the page's JSON holds it.

    Returns:
        `build`: dbt's name for the build; `models` and `macros`: a hash of their code by name;
        `vars`: those of the project as it is now, by name; `registries`: a hash of their rows by
        name; `rows`: for each family of input and workspace the model that has its rows, how many
        there are, and how many of each of the last days; `loaded`: when something of a family was
        loaded last.
    """
    manifest = tables.manifest
    ours = str((manifest.get("metadata") or {}).get("project_name") or "")
    nodes = (manifest.get("nodes") or {}).values()
    return {
        "build": tables.whole.build_id,
        "models": {
            node["name"]: _hash(node.get("raw_code"))
            for node in nodes
            if node["resource_type"] == "model"
        },
        "macros": {
            macro["name"]: _hash(macro.get("macro_sql"))
            for macro in (manifest.get("macros") or {}).values()
            if macro.get("package_name") == ours and not macro["name"].startswith("test_")
        },
        "vars": read_vars() if manifest else {},
        "registries": {
            node["alias"]: _rows_hash(tables, node["alias"])
            for node in nodes
            if node["resource_type"] == "seed" and node["alias"] in tables.places
        },
        "rows": _rows(tables),
        "loaded": {
            row["family"]: row["loaded_at"]
            for row in tables.rows(
                "select family, max(loaded_at) as loaded_at from {load_files} group by family "
                "order by family",
                reads=["load_files"],
            )
        },
    }


def read_vars() -> Record:
    """The vars of the project as it is now, by name, but for the instant of a build."""
    import yaml

    project = yaml.safe_load((PROJECT_DIR / "dbt_project.yml").read_text(encoding="utf-8"))
    return {name: value for name, value in project["vars"].items() if name != "as_of"}


def _hash(text: object) -> str:
    return hashlib.sha256(str(text or "").encode()).hexdigest()[:SHORT]


def _rows_hash(tables: Tables, name: str) -> str:
    """A hash of the rows of a registry, in whatever order they stand."""
    said = tables.db.execute(
        f"select string_agg(told, chr(10) order by told) from (select cast(one as varchar) as told "
        f"from {tables.places[name]} as one)"
    ).fetchone()
    return _hash(said[0] if said else "")


def _rows(tables: Tables) -> list[Record]:
    since = (tables.as_of - timedelta(days=DAYS_KEPT)).date()
    kept: dict[tuple[Any, ...], Record] = {}
    days: dict[tuple[Any, ...], dict[str, int]] = defaultdict(dict)
    for row in tables.rows(
        "select * from {int_review__input_days} order by family, workspace_id, happened_on",
        reads=["int_review__input_days"],
    ):
        key = row["family"], row["workspace_id"]
        named = {name: row[name] for name in ("family", "workspace_id", "relation")}
        kept.setdefault(key, {**named, "count_rows": 0})["count_rows"] += row["count_rows"]
        if row["happened_on"] >= since:
            days[key][row["happened_on"].isoformat()] = row["count_rows"]
    return [{**row, "days": days[key]} for key, row in kept.items()]
