"""The sample brand built twice from the same raw and as_of: by DuckDB and by Spark."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from conftest import PROVE
from made_once import made_once
from raw_in_files import moved_into_files

from pipelines import warehouse
from pipelines.console import Console
from pipelines.engines import lake
from pipelines.engines.spark import RAW, SparkEngine
from pipelines.loading import load, rawfiles
from pipelines.registries import compose
from pipelines.sample import SAMPLE_AS_OF, write_sample
from pipelines.settings import Settings

CONF = Path(__file__).parent / "conf"
FEW = 600
"""People of a brand that has so few, and hardly a table without rows."""

PLACES = [
    "threads",
    *(pytest.param(name, marks=pytest.mark.prove) for name in ("cluster", "server")),
]
"""Where Spark runs: in one process, on two executors in processes of their own, or as a server."""


IN_FILES = "in_files"
EVERYTHING = "everything.duckdb"
SERVER = "org.apache.spark.sql.connect.service.SparkConnectServer"


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
    conf: Path

    @property
    def every_table(self) -> tuple[Path, Path]:
        return self.duckdb.warehouse_path, self.spark.home / EVERYTHING


@contextmanager
def sized(conf: Path = CONF) -> Iterator[None]:
    """Spark's own settings for small tables, or those of a folder, for the block."""
    before = os.environ.get("SPARK_CONF_DIR")
    os.environ["SPARK_CONF_DIR"] = str(conf)
    try:
        yield
    finally:
        os.environ.pop("SPARK_CONF_DIR")
        if before is not None:
            os.environ["SPARK_CONF_DIR"] = before


def people_in(place: str) -> int:
    """How many the sample brand has there: in full in the proof of threads."""
    return 5_000 if PROVE and place == "threads" else FEW


def brand_built_once(factory: pytest.TempPathFactory, people: int) -> Settings:
    """The sample brand with so many people, built by DuckDB from tables; see `in_files`."""
    return _of_duckdb(made_once(factory, f"spark-brand-{people}", lambda at: _built(at, people)))


def _of_duckdb(folder: Path) -> Settings:
    return Settings(_env_file=None).model_copy(update={"home": folder / "duckdb"})  # type: ignore[call-arg]


def _built(folder: Path, people: int) -> None:
    settings, quiet = _of_duckdb(folder), Console(as_json=True)
    write_sample(folder / "sample", people=people, seed=7, console=quiet)
    load([str(folder / "sample" / "export")], settings, quiet)
    build(settings, registries_of(settings))
    moved_into_files(elsewhere(settings, IN_FILES).home)


def in_files(brand: Settings, name: str, **where: str) -> Settings:
    """A home with the brand's rows in files, to be built by another Spark."""
    there = brand.model_copy(update={"home": brand.home.parent / IN_FILES})
    return elsewhere(there, name, **where)


def first_built_once(
    factory: pytest.TempPathFactory, brand: Settings, place: str, where: dict[str, str], conf: Path
) -> Homes:
    """The brand as Spark builds it in a place for the first time, beside DuckDB's build."""

    def made(home: Path) -> None:
        build(in_files(brand, home.name, **where), registries_of(brand), conf)

    home = made_once(factory, f"{brand.home.parent.name}/{place}", made)
    return Homes(brand, brand.model_copy(update={"home": home, "engine": "spark", **where}), conf)


def registries_of(settings: Settings) -> Path:
    """The registries of the sample brand, for any home of it."""
    return settings.home.parent / "sample" / "seeds"


def elsewhere(settings: Settings, name: str, **where: str) -> Settings:
    """A home with the same raw, to be built by another Spark."""
    away = settings.model_copy(
        update={"home": settings.home.parent / name, "engine": "spark", **where}
    )
    away.home.mkdir(exist_ok=True)
    shutil.copyfile(settings.raw_path, away.raw_path)
    if (settings.home / rawfiles.FOLDER).is_dir():
        shutil.copytree(settings.home / rawfiles.FOLDER, away.home / rawfiles.FOLDER)
    return away


def spread_out(folder: Path) -> Path:
    """Settings under which what is grouped or joined goes from one process to another."""
    text = (CONF / "spark-defaults.conf").read_text(encoding="utf-8")
    for name in ("spark.sql.shuffle.partitions", "spark.default.parallelism"):
        text = re.sub(rf"^{name}\s+1$", f"{name} 4", text, flags=re.MULTILINE)
    folder.mkdir()
    (folder / "spark-defaults.conf").write_text(
        text + "spark.sql.autoBroadcastJoinThreshold -1\n", encoding="utf-8"
    )
    return folder


@contextmanager
def placed(place: str, folder: Path) -> Iterator[tuple[dict[str, str], Path]]:
    """One of the places, for the block: settings that say where it is, and Spark's own settings."""
    if place == "cluster":
        yield {"spark_master": "local-cluster[2,1,1200]"}, spread_out(folder / "conf")
    elif place == "server":
        with connect_server(folder) as remote:
            yield {"spark_remote": remote}, CONF
    else:
        yield {}, CONF


@contextmanager
def connect_server(folder: Path) -> Iterator[str]:
    """A Spark Connect server in a process of its own, for the block; its address."""
    import pyspark

    home = Path(pyspark.__file__).parent
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = {
        "spark.connect.grpc.binding.address": "127.0.0.1",
        "spark.connect.grpc.binding.port": str(port),
        "spark.sql.catalogImplementation": "in-memory",
        "spark.sql.warehouse.dir": f"file:{folder}/warehouse",
        "spark.driver.memory": "4g",
        "spark.driver.defaultJavaOptions": "-Duser.timezone=UTC",
        "spark.ui.enabled": "false",
    }
    options = [word for name, value in settings.items() for word in ("--conf", f"{name}={value}")]
    server = subprocess.Popen(
        [str(home / "bin" / "spark-submit"), "--master", "local[2]", "--class", SERVER, *options],
        env={"PATH": os.environ["PATH"], "SPARK_CONF_DIR": str(CONF), "SPARK_HOME": str(home)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        deadline = time.monotonic() + 120
        while not _answers(port):
            assert server.poll() is None, "the server ended"
            assert time.monotonic() < deadline, "the server does not listen"
            time.sleep(0.5)
        yield f"sc://127.0.0.1:{port}"
    finally:
        os.killpg(server.pid, signal.SIGKILL)
        server.wait()


def _answers(port: int) -> bool:
    with socket.socket() as asked:
        return asked.connect_ex(("127.0.0.1", port)) == 0


def build(settings: Settings, registries: Path, conf: Path = CONF) -> None:
    """One whole build as of the brand's end, without unit tests."""
    with _telling(settings, conf):
        warehouse.build(
            settings,
            Console(as_json=True),
            as_of=SAMPLE_AS_OF,
            registries=registries,
            with_unit_tests=False,
        )


def build_with_unit_tests(settings: Settings, registries: Path, conf: Path = CONF) -> list[Any]:
    """Every registry, model and unit test of such a build, without its data tests and its mark."""
    return _invoked(settings, registries, conf, "--exclude-resource-type=test")


def build_part(settings: Settings, registries: Path, select: str, conf: Path = CONF) -> list[Any]:
    """A part of such a build, and what it stands on, without any test."""
    left_out = ("--exclude-resource-type=test", "--exclude-resource-type=unit_test")
    return _invoked(settings, registries, conf, *left_out, "--select", f"+{select}")


def _invoked(settings: Settings, registries: Path, conf: Path, *options: str) -> list[Any]:
    given = ["--vars", json.dumps({"as_of": SAMPLE_AS_OF.isoformat(sep=" ")})]
    with _telling(settings, conf):
        seeds = compose(settings, registries)
        return warehouse.invoke(settings, seeds, ["build", *given, *options])


@contextmanager
def _telling(settings: Settings, conf: Path) -> Iterator[None]:
    with sized(conf), pytest.MonkeyPatch.context() as patch:
        if settings.engine == "spark":
            patch.setattr(warehouse, "engine_of", lambda settings, **_: TellingEngine(settings))
        yield
