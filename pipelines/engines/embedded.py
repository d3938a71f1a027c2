"""DuckDB in this process: dbt writes the very file that is read afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


class EmbeddedEngine:
    """See `pipelines.engines.Engine`."""

    packages: tuple[str, ...] = ("dbt-core", "dbt-duckdb", "duckdb")
    keeps_relations = True

    def environment(self) -> dict[str, str]:
        """The attached database that holds what was loaded, by its schemas' own names."""
        return {"COUNTERFOIL_ENGINE": "duckdb", "COUNTERFOIL_RAW_DATABASE": "raw"}

    @contextmanager
    def running(self) -> Iterator[None]:
        """Close the warehouse when dbt has finished: the adapter would hold it until we end."""
        from dbt.adapters.duckdb.connections import DuckDBConnectionManager
        from dbt.adapters.factory import reset_adapters

        try:
            yield
        finally:
            environment = DuckDBConnectionManager._ENV
            if environment is not None:
                environment.close()
            DuckDBConnectionManager.close_all_connections()
            reset_adapters()

    def hand_over(self, folder: Path, seeds: Path) -> None:
        """Nothing to do: what was loaded is attached."""

    def hand_back(self, manifest: Any, warehouse: Path) -> None:
        """Nothing to do: it was built where it is read."""
