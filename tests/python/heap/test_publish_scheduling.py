"""The scheduling examples are well-formed and say what the documentation says."""

from __future__ import annotations

import configparser
import re
import shutil
import subprocess

import pytest
import yaml

from pipelines.heap.marts import CADENCES
from pipelines.settings import PROJECT_DIR

EXAMPLES = PROJECT_DIR / "docs" / "examples"
COMMAND = re.compile(r"counterfoil run \S+ --publish --json")


def read_unit(name: str) -> configparser.ConfigParser:
    unit = configparser.ConfigParser(strict=True, interpolation=None)
    unit.optionxform = str  # type: ignore[assignment, method-assign]
    unit.read(EXAMPLES / name)
    return unit


def test_cron_runs_hourly_with_a_home() -> None:
    lines = [
        line
        for line in (EXAMPLES / "counterfoil.cron").read_text().splitlines()
        if line and not line.startswith("#")
    ]
    assert any(line.startswith("COUNTERFOIL_HOME=") for line in lines)
    (job,) = [line for line in lines if not re.match(r"[A-Z_]+=", line)]
    assert job.split()[:5] == ["10", "*", "*", "*", "*"]
    assert "%" not in job  # cron reads it as a newline
    assert COMMAND.search(job)


def test_systemd_units_belong_together() -> None:
    service, timer = read_unit("counterfoil.service"), read_unit("counterfoil.timer")
    assert service["Service"]["Type"] == "oneshot"
    assert COMMAND.search(service["Service"]["ExecStart"])
    assert timer["Timer"]["OnCalendar"] == "*-*-* *:10:00"


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed here")
def test_systemd_reads_the_timer() -> None:
    said = subprocess.run(
        ["systemd-analyze", "calendar", read_unit("counterfoil.timer")["Timer"]["OnCalendar"]],
        capture_output=True,
        text=True,
        check=False,
    )
    assert said.returncode == 0, said.stderr


def test_github_actions_never_cancels_a_publisher() -> None:
    flow = yaml.safe_load((EXAMPLES / "publish.yml").read_text())
    assert flow["concurrency"]["cancel-in-progress"] is False
    job = flow["jobs"]["publish"]
    assert COMMAND.search(job["steps"][-1]["run"])
    assert {"HEAP_APP_ID", "HEAP_REGION", "COUNTERFOIL_HOME"} <= set(job["env"])
    assert flow[True]["schedule"][0]["cron"] == "10 * * * *"  # YAML reads `on` as true


def test_sql_and_python_know_the_same_cadences() -> None:
    macro = (PROJECT_DIR / "macros" / "heap" / "cadences.sql").read_text(encoding="utf-8")
    (words,) = re.findall(r"return\(\[(.*?)\]\)", macro)
    assert [word.strip(' "') for word in words.split(",")] == list(CADENCES)
