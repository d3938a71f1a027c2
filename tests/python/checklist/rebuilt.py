"""The checklist's models run again over a changed warehouse, as the build compiled them."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
from review_home import changed

from pipelines.settings import Settings


def rebuilt(home: Path, folder: Path, *causes: str) -> Settings:
    """A copy of the state folder: the warehouse changed, and the checklist built from it again."""
    settings = changed(home, folder, *causes)
    with duckdb.connect(str(settings.warehouse_path)) as db:
        for node in in_order(settings):
            create = f"create or replace table {node['relation_name']} as"
            db.execute(f"{create} {node['compiled_code']}")
    return settings


def in_order(settings: Settings) -> list[dict[str, str]]:
    """The models of the checklist as the manifest has them: the mart last."""
    nodes = json.loads((settings.home / "manifest.json").read_text())["nodes"].values()
    found = [node for node in nodes if node["original_file_path"].startswith("models/checklist/")]
    return sorted(
        (node for node in found if node["resource_type"] == "model"),
        key=lambda node: (node["name"] == "fct_checklist", node["name"] != SUBJECTS),
    )


SUBJECTS = "int_checklist__subjects"
