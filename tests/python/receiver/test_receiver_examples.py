"""The receiver's examples are run as far as this machine can run them."""

from __future__ import annotations

import configparser
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from webhook_calls import KEY

from pipelines.settings import PROJECT_DIR

EXAMPLES = PROJECT_DIR / "docs" / "examples"
UNIT = EXAMPLES / "counterfoil-receiver.service"
PORT = "8766"


def unit() -> configparser.ConfigParser:
    parsed = configparser.ConfigParser(strict=True, interpolation=None)
    parsed.optionxform = str  # type: ignore[assignment, method-assign]
    parsed.read(UNIT)
    return parsed


def container_command() -> list[str]:
    (line,) = re.findall(r"^CMD (\[.*\])$", (EXAMPLES / "receiver.Containerfile").read_text(), re.M)
    command: list[str] = json.loads(line)
    return command


@pytest.mark.parametrize("name", ["systemd", "container"])
def test_the_command_serves_and_stops(name: str, tmp_path: Path) -> None:
    given = unit()["Service"]["ExecStart"].split() if name == "systemd" else container_command()
    assert given[0].endswith(".venv/bin/counterfoil")
    given[given.index(PORT)] = "0"
    arguments = [word.replace("/var/lib/counterfoil", str(tmp_path)) for word in given[1:]]
    process = subprocess.Popen(
        [sys.executable, str(PROJECT_DIR / "cli.py"), *arguments, "--json"],
        env={
            **os.environ,
            "COUNTERFOIL_HOME": str(tmp_path / "home"),
            "CUSTOMERIO_WEBHOOK_KEY": KEY,
        },
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        said = ""
        while not said.endswith("}\n"):
            said += process.stdout.readline()
        port = json.loads(said)["url"].rpartition(":")[2]
        assert httpx.get(f"http://127.0.0.1:{port}/healthz").json()["status"] == "ok"
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0
    finally:
        process.kill()
        process.communicate()


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed here")
def test_systemd_reads_the_unit(tmp_path: Path) -> None:
    text = UNIT.read_text()
    for folder in re.findall(r"=(/opt\S*/counterfoil) ", text):
        text = text.replace(folder, sys.executable)
    there = tmp_path / UNIT.name
    there.write_text(text.replace("User=counterfoil", f"User={os.environ.get('USER', 'root')}"))
    said = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(there)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert [line for line in said.stderr.splitlines() if UNIT.name in line] == []
    assert unit()["Service"]["Restart"] == "always"


def test_the_container_says_what_it_publishes() -> None:
    text = (EXAMPLES / "receiver.Containerfile").read_text()
    assert f"EXPOSE {PORT}\n" in text
    assert f"--publish 127.0.0.1:{PORT}:{PORT}" in text
    assert f"http://127.0.0.1:{PORT}/healthz" in text
    command = container_command()
    assert command[command.index("--port") + 1] == PORT
    assert "\nUSER counterfoil\n" in text
