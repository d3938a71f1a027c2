"""The command itself as a process of its own, on one core if asked."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from webhook_calls import KEY, SECRET

from pipelines.settings import PROJECT_DIR


@dataclass
class Served:
    """A receiver that runs: its process, address and spool."""

    process: subprocess.Popen[str]
    url: str
    spool: Path


def start(folder: Path) -> subprocess.Popen[str]:
    """Begin `counterfoil webhooks serve`, and wait for nothing."""
    return subprocess.Popen(
        [
            *(sys.executable, str(PROJECT_DIR / "cli.py"), "webhooks", "serve"),
            *("--json", "--port", "0", "--spool", str(folder / "spool")),
        ],
        env={
            **os.environ,
            "COUNTERFOIL_HOME": str(folder / "home"),
            "CUSTOMERIO_WEBHOOK_KEY": KEY,
            "HEAP_WEBHOOK_SECRET": SECRET,
        },
        stdout=subprocess.PIPE,
        text=True,
    )


@contextmanager
def served(folder: Path, *, core: int | None = None) -> Iterator[Served]:
    """Run `counterfoil webhooks serve`; at the end of the block it is told to stop."""
    spool = folder / "spool"
    process = start(folder)
    try:
        if core is not None:
            os.sched_setaffinity(process.pid, {core})
        assert process.stdout is not None
        said = ""
        while not said.endswith("}\n"):
            line = process.stdout.readline()
            assert line, "it ended before it said where it is"
            said += line
        yield Served(process, json.loads(said)["url"], spool)
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=30) == 0
    finally:
        process.kill()
        process.communicate()
