"""Commands of ours in a process that may reach nothing but what was asked for, and tells who tried.

Not even this machine: a proxy or a collector may listen on it.

The guard is an audit hook, so it sees what any library of the process does. It is put in by a
`sitecustomize` on `PYTHONPATH`, which subprocesses inherit.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from pipelines.settings import PROJECT_DIR

_HOOK = """
import os, sys

ASKED = set(os.environ["GUARD_ASKED"].split())
NAMED = {"socket.getaddrinfo": 0, "socket.gethostbyname": 0, "socket.gethostbyaddr": 0}
REACHED = {"socket.connect": 1, "socket.sendto": 1, "socket.sendmsg": 1}


def guard(event, arguments):
    if event in NAMED:
        host = arguments[NAMED[event]]
    elif event in REACHED:
        address = arguments[REACHED[event]]
        host = address[0] if isinstance(address, tuple) else None  # else a socket of this machine
    else:
        return
    host = host.decode() if isinstance(host, bytes) else host
    if not host or host in ASKED:
        return
    with open(os.environ["GUARD_REPORT"], "a") as report:
        report.write(f"{event} {host}\\n")
    raise OSError(f"{event} {host}: nobody asked for it")


sys.addaudithook(guard)
"""

WILLING = {
    "RUNTIME__DLTHUB_TELEMETRY": "true",
    "DBT_SEND_ANONYMOUS_USAGE_STATS": "true",
    "DBT_UPLOAD_TO_ARTIFACTS_INGEST_API": "true",
    "DO_NOT_TRACK": "0",
}
"""An environment that asks for whatever a library would send."""


class Guarded:
    """Runs Python with the guard, in a user's home of its own that wants telemetry too.

    Args:
        folder: where its parts are made.
        asked: hosts that the commands are told to speak to.
    """

    def __init__(self, folder: Path, *asked: str) -> None:
        self.asked = asked
        self.user = folder / "user"
        self.report = folder / "reached.txt"
        self._hook = folder / "hook"
        self._hook.mkdir(parents=True)
        (self._hook / "sitecustomize.py").write_text(_HOOK)
        (self.user / ".dlt").mkdir(parents=True)
        config = self.user / ".dlt" / "config.toml"
        config.write_text("[runtime]\ndlthub_telemetry = true\n")
        self.before = self.held()

    def held(self) -> dict[str, bytes]:
        """What the user's home holds."""
        return {
            str(path.relative_to(self.user)): path.read_bytes() if path.is_file() else b""
            for path in self.user.rglob("*")
        }

    def reached(self) -> list[str]:
        """What was tried, a line each."""
        return self.report.read_text().splitlines() if self.report.exists() else []

    def run(
        self, *arguments: str, umask: int = 0o022, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        """Run `python <arguments>`; the settings are those of `variables` alone."""
        ours = ("HEAP_", "CUSTOMERIO_", "COUNTERFOIL_", "DBT_", "RUNTIME__")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=self.user.parent,
            env=self._environment(kept | variables),
            umask=umask,
            capture_output=True,
            text=True,
            check=False,
        )

    def _environment(self, kept: Mapping[str, str]) -> dict[str, str]:
        paths = [str(self._hook), str(PROJECT_DIR), *filter(None, [kept.get("PYTHONPATH")])]
        return {
            **kept,
            **WILLING,
            "HOME": str(self.user),
            "GUARD_REPORT": str(self.report),
            "GUARD_ASKED": " ".join(self.asked),
            "PYTHONPATH": os.pathsep.join(paths),
        }
