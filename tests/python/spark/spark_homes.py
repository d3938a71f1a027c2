"""The sample brand built twice from the same raw and as_of: by DuckDB and by Spark."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pipelines import warehouse
from pipelines.console import Console
from pipelines.engines import lake
from pipelines.engines.spark import RAW, SparkEngine
from pipelines.loading import load
from pipelines.sample import SAMPLE_AS_OF, write_sample
from pipelines.settings import Settings

CONF = Path(__file__).parent / "conf"
EVERYTHING = "everything.duckdb"


class TellingEngine(SparkEngine):
    """Spark, and beside what comes back every table of the build, for a comparison."""

    def hand_back(self, manifest: Any, warehouse: Path) -> None:
        super().hand_back(manifest, warehouse)
        everything = {
            (schema, table)
            for schema, table in lake.relations(self._session)
            if not schema.startswith(RAW)
        }
        beside = self._settings.home / EVERYTHING
        beside.unlink(missing_ok=True)
        lake.hand_back(self._settings, self._lake, self._session, everything, beside)


@dataclass(frozen=True)
class Homes:
    """Two state folders, and where each has every table."""

    duckdb: Settings
    spark: Settings

    @property
    def every_table(self) -> tuple[Path, Path]:
        return self.duckdb.warehouse_path, self.spark.home / EVERYTHING


@contextmanager
def test_sized() -> Iterator[None]:
    """Spark's own settings for small tables, for the block."""
    before = os.environ.get("SPARK_CONF_DIR")
    os.environ["SPARK_CONF_DIR"] = str(CONF)
    try:
        yield
    finally:
        os.environ.pop("SPARK_CONF_DIR")
        if before is not None:
            os.environ["SPARK_CONF_DIR"] = before


def built(folder: Path) -> Homes:
    """The sample brand in two homes."""
    duckdb = Settings(_env_file=None).model_copy(update={"home": folder / "duckdb"})  # type: ignore[call-arg]
    spark = duckdb.model_copy(update={"home": folder / "spark", "engine": "spark"})
    quiet = Console(as_json=True)
    write_sample(folder / "sample", people=5_000, seed=7, console=quiet)
    load([str(folder / "sample" / "export")], duckdb, quiet)
    spark.home.mkdir()
    shutil.copyfile(duckdb.raw_path, spark.raw_path)
    homes = Homes(duckdb, spark)
    for settings in (duckdb, spark):
        build(settings, folder / "sample" / "seeds")
    return homes


def build(settings: Settings, registries: Path) -> None:
    """One whole build as of the brand's end."""
    with test_sized(), pytest.MonkeyPatch.context() as patch:
        if settings.engine == "spark":
            patch.setattr(warehouse, "engine_of", lambda settings, **_: TellingEngine(settings))
        warehouse.build(settings, Console(as_json=True), as_of=SAMPLE_AS_OF, registries=registries)
