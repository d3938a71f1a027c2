"""CONTRIBUTING's recipe for a line of the checklist, done as it says."""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb
import pytest
from review_home import built_home, settings_for
from segment_world import copy_project

from pipelines import warehouse
from pipelines.sample import SAMPLE_AS_OF

FAMILY = "int_checklist__costs"
MODEL = """
with

costs as (
    select * from {{ ref("channel_costs") }}
),

lines as (
    select
        'channel_costs' as line,
        'Channels have a price' as title,
        {{ grouped_digits("count(*)") }} || ' priced' as measured,
        'at least {{ var("checklist_least_priced_channels") }}' as threshold,
        'Add them to seeds/channel_costs.csv.' as advice,
        cast(count(*) as double) as value,
        cast({{ var("checklist_least_priced_channels") }} as double) as bound,
        count(*) >= {{ var("checklist_least_priced_channels") }} as is_met
    from costs
)

select * from lines
"""
YML = f"""
models:
  - name: {FAMILY}
    description: One row per line of the checklist about costs.
"""
UNION = "    select {{ facts }}, cast(null as {{ dbt.type_string() }}) as budget from loads\n"


def edit(project: Path, path: str, old: str, new: str) -> None:
    text = (project / path).read_text(encoding="utf-8")
    assert old in text
    (project / path).write_text(text.replace(old, new, 1), encoding="utf-8")


def test_a_line_of_a_new_family(tmp_path_factory: pytest.TempPathFactory, tmp_path: Path) -> None:
    """The model, its part of the union, its name and its limit: then it is a row as any other."""
    home = tmp_path / "home"
    shutil.copytree(built_home(tmp_path_factory), home)
    settings = settings_for(home)
    duckdb.connect(str(settings.raw_path)).close()
    project = copy_project(tmp_path_factory.mktemp("project"))
    (project / f"models/checklist/workings/{FAMILY}.sql").write_text(MODEL)
    (project / f"models/checklist/workings/{FAMILY}.yml").write_text(YML)
    mart = "models/checklist/fct_checklist.sql"
    imported = 'costs as (\n    select * from {{ ref("int_checklist__costs") }}\n),\n\n'
    edit(project, mart, "waivers as (\n", imported + "waivers as (\n")
    edit(
        project, mart, UNION, UNION + "    union all\n" + UNION.replace("from loads", "from costs")
    )
    edit(
        project,
        "macros/checklist/checklist_lines.sql",
        '"quarantine",',
        '"quarantine", "channel_costs",',
    )
    limit = "  checklist_least_priced_channels: 99\n"
    edit(
        project,
        "dbt_project.yml",
        "  checklist_least_shown_share:",
        limit + "  checklist_least_shown_share:",
    )
    story = "models/checklist/fct_checklist.yml"
    given = "      - input: ref('waivers')\n"
    edit(project, story, given, f"      - input: ref('{FAMILY}')\n        rows: []\n{given}")
    as_of = f"{{as_of: '{SAMPLE_AS_OF:%Y-%m-%d %H:%M:%S}'}}"
    chosen = ["--vars", as_of, "--select", FAMILY, "fct_checklist"]
    warehouse.invoke(settings, project / "seeds", ["build", *chosen], project=project)
    with duckdb.connect(str(settings.warehouse_path), read_only=True) as db:
        rows = db.execute(
            'select line, verdict, "limit", sentence from marts.fct_checklist '
            "where subject = 'implementation' order by position"
        ).fetchall()
    at = [row[0] for row in rows].index("channel_costs")
    assert [row[0] for row in rows][at - 1 : at + 2] == ["quarantine", "channel_costs", "refusals"]
    assert rows[at][1:3] == ("fail", 99)
    assert rows[at][3].endswith("priced (at least 99). Add them to seeds/channel_costs.csv.")
