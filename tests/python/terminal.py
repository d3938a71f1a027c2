"""A command whose standard output is a terminal, and the same one where a program reads it."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

from pipelines.settings import PROJECT_DIR


def on_a_terminal(*arguments: str, home: Path | None = None, width: int = 60) -> str:
    """What Python prints with these arguments where its standard output is a terminal."""
    ours, theirs = pty.openpty()
    started = _start(arguments, theirs, home, width)
    os.close(theirs)
    said = b""
    while True:
        try:
            part = os.read(ours, 4096)
        except OSError:  # the other end is closed
            break
        if not part:
            break
        said += part
    os.close(ours)
    started.wait()
    return said.decode()


def piped(*arguments: str, home: Path | None = None) -> str:
    """What it prints where a program reads."""
    said, _ = _start(arguments, subprocess.PIPE, home, 60).communicate()
    return str(said.decode())


def rows_of(drawn: str) -> list[list[str]]:
    """The words of each line that says something."""
    plain = re.sub("\x1b\\[[0-9;]*m", "", drawn)
    return [line.split() for line in plain.splitlines() if line.strip("─ \r")]


def _start(
    arguments: tuple[str, ...], stdout: int, home: Path | None, width: int
) -> subprocess.Popen[bytes]:
    environment = os.environ | {"COLUMNS": str(width), "TERM": "xterm"}
    if home is not None:
        environment["COUNTERFOIL_HOME"] = str(home)
    return subprocess.Popen(
        [sys.executable, *arguments],
        stdout=stdout,
        stderr=subprocess.DEVNULL,
        env=environment,
        cwd=PROJECT_DIR,
    )
