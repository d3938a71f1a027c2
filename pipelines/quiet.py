"""Nothing calls home: what dlt, dbt and DuckDB would send or fetch unasked is off beforehand.

Whatever the environment or a settings file of theirs says: a state folder holds people.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dlt.common.runtime.run_context import RunContext

NO_DOWNLOADS = "set global autoinstall_known_extensions = false"
"""SQL: DuckDB fetches no extension that a query happens to name."""

DBT_FLAGS = ("--no-send-anonymous-usage-stats", "--no-upload-to-artifacts-ingest-api")
"""dbt's own flags, which win over its environment variables and over the project."""


def quiet_dlt(folder: Path) -> None:
    """Give this process a dlt that sends nothing, before dlt is used and for as long as it lives.

    dlt settles its telemetry once, when its container is first asked for anything: asking what a
    destination can do, or making an HTTP client, is enough.

    Args:
        folder: what it would take for its home folder.
    """
    from dlt.common.configuration.container import Container
    from dlt.common.configuration.specs.pluggable_run_context import PluggableRunContext
    from dlt.common.runtime.telemetry import is_telemetry_started, stop_telemetry

    container = Container()
    if PluggableRunContext not in container:
        container[PluggableRunContext] = PluggableRunContext(private_context(folder))
    elif is_telemetry_started():
        stop_telemetry()  # somebody else in this process used dlt before


def quiet_spark() -> None:
    """Keep pyspark from writing what failed, with the values in it, past our own error."""
    from pyspark.logger import PySparkLogger

    for name in ("SQLQueryContextLogger", "DataFrameQueryContextLogger"):
        PySparkLogger.getLogger(name).setLevel(logging.CRITICAL + 1)


def private_context(folder: Path) -> RunContext:
    """A dlt that reads no file, no environment and no home folder, sends nothing, and is silent."""
    from dlt.common.configuration.providers import DictionaryProvider
    from dlt.common.runtime.run_context import RunContext

    class PrivateContext(RunContext):  # type: ignore[misc,unused-ignore]
        @property
        def global_dir(self) -> str:
            return str(folder)

        data_dir = local_dir = run_dir = global_dir

        @property
        def settings_dir(self) -> str:
            return str(folder / "settings")

        def initial_providers(self) -> list[Any]:
            provider = DictionaryProvider()
            for key, value in {
                "runtime.log_level": "CRITICAL",
                "runtime.dlthub_telemetry": False,
                # parallel INSERTs cost memory and gain nothing in one DuckDB file
                "load.workers": 1,
                "load.raise_on_max_retries": 1,
                "normalize.workers": 1,
                "normalize.parquet_normalizer.add_dlt_load_id": True,
                "normalize.model_normalizer.add_dlt_load_id": True,
                "restore_from_destination": False,
            }.items():
                *sections, name = key.split(".")
                provider.set_value(name, value, None, *sections)
            return [provider]

    return PrivateContext(str(folder))
