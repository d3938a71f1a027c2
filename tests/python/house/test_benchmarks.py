"""A script that nobody runs for months still starts: its imports are there."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from pipelines.settings import PROJECT_DIR

SCRIPTS = sorted((PROJECT_DIR / "tests" / "bench").glob("*.py"))
START = "import runpy, sys; runpy.run_path(sys.argv[1], run_name='imported')"


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_a_script_of_measurements_starts(script: Path, tmp_path: Path) -> None:
    started = subprocess.run(
        [sys.executable, "-c", START, str(script)],
        check=False,
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert started.returncode == 0, started.stderr
