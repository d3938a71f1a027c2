"""The checklist's models run again over a changed warehouse, as the build compiled them."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
from review_home import changed

from pipelines.settings import Settings

FIRST, MART, LAST = "int_checklist__subjects", "fct_checklist", "int_checklist__ledger_answers"


def rebuilt(home: Path, folder: Path, *causes: str) -> Settings:
    """A copy of the state folder: the warehouse changed, and the checklist built from it again."""
    settings = changed(home, folder, *causes)
    statements = compiled(settings)
    families = {name for name in statements if name.startswith("int_checklist__")} - {FIRST, LAST}
    with duckdb.connect(str(settings.warehouse_path)) as db:
        for name in (FIRST, *sorted(families), MART, LAST):
            schema = "marts" if name == MART else "checklist"
            db.execute(f"create or replace table {schema}.{name} as {statements[name]}")
    return settings


def compiled(settings: Settings) -> dict[str, str]:
    """Each model and test of the build by its name, as SQL."""
    nodes = json.loads((settings.home / "manifest.json").read_text())["nodes"].values()
    return {node["name"]: node["compiled_code"] for node in nodes if node.get("compiled_code")}
