"""`.ci/sql_style.py` spares a file only what was found clean on exactly its present state."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pipelines.settings import PROJECT_DIR

PROJECT = {
    "dbt_project.yml": "{name: small, version: 1.0.0, profile: small, vars: {bound: 1}}",
    "profiles.yml": "small: {target: t, outputs: {t: {type: duckdb, path: ':memory:'}}}",
    "macros/doubled.sql": "{% macro doubled(name) -%}{{ name }} * 2{%- endmacro %}",
    "models/plain.sql": "select 1 as one\n",
    "models/bounded.sql": "select {{ var('bound') }} as bound\n",
    "models/twice.sql": "select {{ doubled('plain.one') }} as two from {{ ref('plain') }}\n",
}


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A dbt project of three models, with our settings of sqlfluff and our script."""
    for name in (".sqlfluff", ".ci/sql_style.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(PROJECT_DIR / name, tmp_path / name)
    for name, text in PROJECT.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def lint(project: Path) -> tuple[int, str]:
    said = subprocess.run(
        [sys.executable, str(project / ".ci/sql_style.py"), "models"],
        env={**os.environ, "DO_NOT_TRACK": "1"},
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
    )
    return said.returncode, said.stdout or said.stderr


def change(path: Path, before: str, after: str) -> None:
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after))


def test_what_has_not_changed_is_spared_and_nothing_else(small: Path) -> None:
    assert lint(small) == (0, "3 SQL files linted, 0 clean as they were\n")

    change(small / "models/plain.sql", "as one", "ONE")
    for _ in range(2):
        code, said = lint(small)
        assert code == 1
        assert "models/plain.sql:1:10: AL02" in said
        assert "1 SQL files linted, 2 clean as they were" in said
    change(small / "models/plain.sql", "ONE", "as one")

    change(small / "macros/doubled.sql", "* 2", "* 3")
    change(small / "dbt_project.yml", "bound: 1", "bound: 'NULL'")
    code, said = lint(small)
    assert "2 SQL files linted, 1 clean as they were" in said
    assert "models/plain.sql" not in said

    change(small / ".sqlfluff", "capitalisation_policy = lower", "capitalisation_policy = upper")
    code, said = lint(small)
    assert code == 1
    assert "models/plain.sql:1:1: CP01" in said
    assert "3 SQL files linted" in said


def test_a_file_that_cannot_be_rendered_is_no_clean_file(small: Path) -> None:
    (small / "models/broken.sql").write_text("select {{ 1 / 0 }} as never\n")
    code, said = lint(small)
    assert code == 1
    assert "models/broken.sql" in said
    assert "Traceback" not in said
