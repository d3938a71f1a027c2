"""The engine that dbt builds on: DuckDB, or Spark where one machine is not enough.

An engine knows its dbt target and environment, what must run before dbt and be let go after it,
and how what was built comes to where it is read. Whoever reads a build (`pipelines.built`) reads
DuckDB, whatever built it. Only `engine_of` knows which there are.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol

from pipelines.settings import Settings


class Engine(Protocol):
    """One engine, for one dbt command.

    Attributes:
        packages: distributions of which an answer of a unit test depends.
        keeps_relations: whether relations of the last build are there for the next one, so that a
            part of the models can be built on them.
    """

    packages: tuple[str, ...]
    keeps_relations: bool

    def environment(self) -> dict[str, str]:
        """What profiles.yml and the sources read."""

    def running(self) -> AbstractContextManager[None]:
        """dbt may use the engine in the block; after it nothing is held.

        Raises:
            CounterfoilError: it is not installed.
        """

    def hand_over(self, folder: Path, seeds: Path) -> None:
        """Show the engine what was loaded, where it does not see it by itself.

        Args:
            folder: where a build keeps what is not done yet.
            seeds: the folder of registries that is built.

        Raises:
            CounterfoilError: the engine cannot be reached, or does not know what they name.
        """

    def hand_back(self, manifest: Any, warehouse: Path) -> None:
        """Bring what was built into `warehouse`, where it is not there already.

        Raises:
            CounterfoilError: it cannot be read or written.
        """


def engine_of(settings: Settings, *, is_build: bool) -> Engine:
    """The engine of the settings; what builds nothing needs none but DuckDB."""
    if is_build and settings.engine == "spark":
        from pipelines.engines.spark import SparkEngine

        return SparkEngine(settings)
    from pipelines.engines.embedded import EmbeddedEngine

    return EmbeddedEngine()
