"""What writes, in a process of its own that a test kills.

Each is a process of the operating system and dies of SIGKILL, in its middle, with no word to
say. It is forked from one that has done the imports, so that a kill costs the act and nothing
else, and hits the act and not the imports.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import time
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pipelines.audiences.limits import PushLimits
    from pipelines.settings import Settings

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(
    [
        "dbt.adapters.duckdb", "dbt.cli.main", "dlt", "duckdb", "httpx", "pyarrow.parquet",
        "pipelines.audiences.push", "pipelines.erasure.erase", "pipelines.heap.publish",
        "pipelines.loading", "pipelines.loading.handover", "pipelines.warehouse",
    ]
)  # fmt: skip


def publishing(home: Path, url: str) -> None:
    """Publish what the home of a publisher's test holds."""
    from publisher_home import FAST, settings

    from pipelines.console import Console
    from pipelines.heap.publish import publish

    publish(settings(home, url), Console(as_json=True), limits=FAST)


def pushing(settings: Settings, limits: PushLimits) -> None:
    """Push the audiences."""
    from pipelines.audiences.push import push
    from pipelines.console import Console

    push(settings, Console(as_json=True), limits=limits)


def loading(export: Path, home: Path, engine: str = "duckdb") -> None:
    """Load an export."""
    from pipelines import loading
    from pipelines.console import Console
    from pipelines.settings import Settings

    settings = Settings.model_validate({"COUNTERFOIL_HOME": home, "COUNTERFOIL_ENGINE": engine})
    loading.load([str(export)], settings, Console())


def building(settings: Settings, project: Path, day: str) -> None:
    """Build a dbt project as of a day."""
    from pipelines import warehouse

    as_of = json.dumps({"as_of": f"{day} 00:00:00"})
    warehouse.invoke(settings, project / "seeds", ["build", "--vars", as_of], project=project)


def erasing(home: Path, url: str, identifier: str) -> None:
    """Erase a person from the home of a publisher's test."""
    from publisher_home import settings

    from pipelines.console import Console
    from pipelines.erasure.erase import erase

    erase(settings(home, url), identifier, Console(as_json=True), poll_seconds=0)


def started(act: Callable[..., None], *arguments: Any) -> BaseProcess:
    """One of these acts, begun in a process of its own."""
    process = _FORKS.Process(target=_without_a_word, args=(act, arguments))
    process.start()
    return process


def seconds_of(process: BaseProcess) -> float:
    """How long a process takes that nobody disturbs; it must end well."""
    began = time.monotonic()
    process.join(120)
    assert process.exitcode == 0
    return time.monotonic() - began


def is_killed(process: BaseProcess, after: float) -> bool:
    """Kill a process so many seconds from now; whether it was still at work."""
    time.sleep(after)
    process.kill()
    process.join(60)
    return process.exitcode == -signal.SIGKILL


def _without_a_word(act: Callable[..., None], arguments: tuple[Any, ...]) -> None:
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)
    act(*arguments)
