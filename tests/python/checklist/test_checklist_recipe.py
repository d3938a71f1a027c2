"""docs/recipes/checklist_line.md does what it says, word for word, on a copy of the project."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import duckdb
import pytest
from review_home import built_home, settings_for
from segment_world import copy_project

from pipelines import warehouse
from pipelines.sample import SAMPLE_AS_OF
from pipelines.settings import PROJECT_DIR

FAMILY = "int_checklist__costs"
PAGE = (PROJECT_DIR / "docs/recipes/checklist_line.md").read_text(encoding="utf-8")
MART = "models/checklist/fct_checklist.sql"
LAST_PART = "    select {{ facts }}, cast(null as {{ dbt.type_string() }}) as budget from heap\n"


def blocks(language: str) -> list[str]:
    """The page's blocks of one language, in their order."""
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)


def insert(path: Path, text: str, before: str) -> None:
    whole = path.read_text(encoding="utf-8")
    assert whole.count(before) == 1, f"{path.name} has `{before}` {whole.count(before)} times"
    path.write_text(whole.replace(before, text + before), encoding="utf-8")


def test_a_line_of_a_new_family(tmp_path_factory: pytest.TempPathFactory, tmp_path: Path) -> None:
    """The model, its part of the union, its name and its limit: then it is a row as any other."""
    home = tmp_path / "home"
    shutil.copytree(built_home(tmp_path_factory), home)
    settings = settings_for(home)
    duckdb.connect(str(settings.raw_path)).close()
    project = copy_project(tmp_path_factory.mktemp("project"))
    model, imported, part = blocks("sql")
    yml, limit, given = blocks("yaml")
    (line,) = blocks("jinja")
    (project / f"models/checklist/workings/{FAMILY}.sql").write_text(model)
    (project / f"models/checklist/workings/{FAMILY}.yml").write_text(yml)
    insert(project / MART, imported + "\n", before="waivers as (\n    select * from {{ ref")
    insert(project / MART, part, before=LAST_PART)
    insert(
        project / "macros/checklist/checklist_lines.sql", line.strip() + " ", before='"refusals",'
    )
    insert(project / "dbt_project.yml", limit, before="  checklist_least_shown_share:")
    insert(
        project / "models/checklist/fct_checklist.yml",
        given,
        before="      - input: ref('waivers')\n",
    )
    as_of = f"{{as_of: '{SAMPLE_AS_OF:%Y-%m-%d %H:%M:%S}'}}"
    chosen = ["--vars", as_of, "--select", FAMILY, "fct_checklist"]
    warehouse.invoke(settings, project / "seeds", ["build", *chosen], project=project)
    with duckdb.connect(str(settings.warehouse_path), read_only=True) as db:
        rows = db.execute(
            'select line, verdict, "limit", sentence from marts.fct_checklist '
            "where subject = 'implementation' order by position"
        ).fetchall()
    at = [row[0] for row in rows].index("channel_costs")
    assert [row[0] for row in rows][at - 1 : at + 2] == [
        "rejected_rows",
        "channel_costs",
        "refusals",
    ]
    assert rows[at][1:3] == ("fail", 99)
    assert rows[at][3].endswith("priced (at least 99). Add them to seeds/channel_costs.csv.")
