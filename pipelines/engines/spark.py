"""Spark: the same models on this machine's cores, on a cluster, or behind a Spark Connect server.

dbt-spark takes whatever session this process has, so the session is made here, once, before dbt
starts. What was loaded goes over as Parquet, what is read afterwards comes back into DuckDB
(`lake`); the folder between them is gone when the build is done.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from pipelines.engines import lake
from pipelines.engines.clocks import require_same_rules
from pipelines.errors import CounterfoilError, UsageError
from pipelines.quiet import quiet_spark
from pipelines.settings import SIZE, Settings

JAVA = 17

NO_EXTRA = (
    "COUNTERFOIL_ENGINE=spark needs dbt-spark and pyspark, which are not installed: "
    "`make .venv/.spark`."
)
NO_JAVA = (
    "Spark needs Java {wanted} or later, and {found}: `apt-get install openjdk-17-jre-headless`, "
    "or name a Spark Connect server in SPARK_REMOTE."
)
CONNECT_PORT = 15002
"""Of a Spark Connect server whose address names none."""

CONNECT_SECONDS = 10

NO_SESSION = (
    "Spark cannot be reached or started at {where} ({said}): see COUNTERFOIL_SPARK_MASTER and "
    "SPARK_REMOTE."
)

NOT_DROPPED = (
    "The Spark server keeps tables of a build, which hold people, and does not drop them ({said}): "
    f"drop the schemas there whose comment is `{lake.OURS}`."
)

RAW = "raw_"
"""Before the schemas of what was loaded: Spark's schemas are one flat namespace."""


class SparkEngine:
    """See `pipelines.engines.Engine`."""

    packages: tuple[str, ...] = ("dbt-core", "dbt-spark", "pyspark")
    keeps_relations = False

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lake = Path()
        self._session: Any = None

    def environment(self) -> dict[str, str]:
        """The target, where the sources stand, and the server, if there is one."""
        found = {
            "COUNTERFOIL_ENGINE": "spark",
            "COUNTERFOIL_RAW_DATABASE": "",
            "COUNTERFOIL_RAW_SCHEMA": RAW,
        }
        if self._settings.spark_remote:
            found["SPARK_REMOTE"] = self._settings.spark_remote
        return found

    @contextmanager
    def running(self) -> Iterator[None]:
        """dbt-spark as we need it for the block; after it the session has ended.

        Raises:
            UsageError: the extra or Java is missing.
        """
        require_spark(self._settings)
        from dbt.adapters.factory import reset_adapters

        from pipelines.engines.spark_adapter import plugged_in

        try:
            with plugged_in():
                yield
            self._leave_nothing()
        except BaseException:
            with suppress(Exception):  # what stopped the build is said
                self._leave_nothing()
            raise
        finally:
            reset_adapters()
            if self._session is not None:
                stop(self._session)
                shutil.rmtree(self._lake, ignore_errors=True)

    def hand_over(self, folder: Path, seeds: Path) -> None:
        """Start a session of our own that knows what was loaded.

        Raises:
            UsageError: there is no Spark where it was said to be.
            CounterfoilError: it does not see all rows, or has other days than DuckDB.
        """
        self._lake = folder / lake.FOLDER
        self._lake.mkdir(parents=True, exist_ok=True)
        self._session = self._started()
        self._leave_nothing()
        require_same_rules(self._session, seeds)
        lake.hand_over(self._settings, self._lake, self._session, prefix=RAW)
        made = folder / self._settings.warehouse_path.name
        if made.exists():
            lake.hand_over_former(self._settings, self._lake, self._session, made)

    def hand_back(self, manifest: Any, warehouse: Path) -> None:
        """Write what Python reads into `warehouse`."""
        read = lake.wanted(manifest) & lake.relations(self._session)
        lake.hand_back(self._settings, self._lake, self._session, read, warehouse)

    def _leave_nothing(self) -> None:
        """Drop what a build has made on a server, which outlives it: it holds people.

        Raises:
            CounterfoilError: the server does not.
        """
        if self._session is None or not self._settings.spark_remote:
            return
        try:
            lake.drop_ours(self._session)
        except Exception as error:
            raise CounterfoilError(NOT_DROPPED.format(said=type(error).__name__)) from error

    def _started(self) -> Any:
        from pyspark.sql import SparkSession

        remote, master = self._settings.spark_remote, self._settings.spark_master
        builder: Any = SparkSession.builder.appName("counterfoil")
        builder = builder.remote(remote) if remote else builder.master(master or self._cores())
        for name, value in self._configuration(is_ours=not remote).items():
            builder = builder.config(name, value)
        quiet_spark()
        try:
            if remote:
                _knock(remote)
            return builder.getOrCreate()
        except UsageError:
            raise
        except Exception as error:
            where = _host(remote) if remote else master or "this machine's cores"
            raise UsageError(NO_SESSION.format(where=where, said=type(error).__name__)) from error

    def _cores(self) -> str:
        return f"local[{self._settings.threads}]"

    def _configuration(self, *, is_ours: bool) -> dict[str, str]:
        """What every session holds to, and what a session holds to that we start.

        The rest (sizes of a cluster, shuffle partitions, table format) is Spark's own to say:
        spark-defaults.conf in SPARK_CONF_DIR, or the server.
        """
        always = {
            "spark.sql.ansi.enabled": "true",
            "spark.sql.ansi.doubleQuotedIdentifiers": "true",
            "spark.sql.session.timeZone": "UTC",
            "spark.sql.timestampType": "TIMESTAMP_LTZ",
            "spark.sql.parquet.inferTimestampNTZ.enabled": "false",
            "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
            # a text of a registry, or a folder's name, that says ${env:NAME} is a text
            "spark.sql.variable.substitute": "false",
            # what a cluster that is older than our SQL may have set otherwise
            "spark.sql.parser.escapedStringLiterals": "false",
            "spark.sql.caseSensitive": "false",
            "spark.sql.storeAssignmentPolicy": "ANSI",
            "spark.sql.legacy.timeParserPolicy": "CORRECTED",
        }
        if not is_ours:
            return always
        return always | {
            "spark.sql.catalogImplementation": "in-memory",
            "spark.sql.warehouse.dir": f"file:{self._lake}/warehouse",
            "spark.driver.defaultJavaOptions": "-Duser.timezone=UTC",
            "spark.executor.defaultJavaOptions": "-Duser.timezone=UTC",
            "spark.driver.memory": jvm_size(self._settings.memory_limit),
            "spark.local.dir": f"{self._lake}/spill",
            "spark.ui.enabled": "false",
            "spark.ui.showConsoleProgress": "false",
            # what those pages would show: each statement's plan, which a long build adds up
            "spark.sql.ui.retainedExecutions": "1",
            "spark.ui.retainedJobs": "1",
            "spark.ui.retainedStages": "1",
            "spark.ui.retainedTasks": "10",
            "spark.log.level": "OFF",
        }


def _knock(remote: str) -> None:
    """Make sure that somebody listens there: pyspark would try for ten minutes without a word.

    Raises:
        UsageError: it is no address of one.
        OSError: nobody does.
    """
    if not re.match(r"sc://[^/;?#@]*[^/;?#]", remote):
        raise UsageError("SPARK_REMOTE should be an address such as sc://host:15002.")
    host, _, port = _host(remote).rpartition(":")
    with socket.create_connection((host.strip("[]"), int(port)), timeout=CONNECT_SECONDS):
        pass


def _host(remote: str) -> str:
    """Host and port of an address, without whoever is named before them and what follows."""
    place = re.split(r"[/;?#]", remote.rpartition("://")[2])[0].rpartition("@")[2]
    return place if re.search(r":[0-9]+$", place) else f"{place}:{CONNECT_PORT}"


def require_spark(settings: Settings) -> None:
    """Make sure that Spark can be asked from here.

    Raises:
        UsageError: the extra is missing, or Java where no server was named.
    """
    if not all(_is_installed(name) for name in ("pyspark", "dbt.adapters.spark")):
        raise UsageError(NO_EXTRA)
    if settings.spark_remote:
        return
    found = _java_version()
    if found is None:
        home = os.environ.get("JAVA_HOME")
        missing = "there is none in JAVA_HOME" if home else "no `java` is on the path"
        raise UsageError(NO_JAVA.format(wanted=JAVA, found=missing))
    if found < JAVA:
        raise UsageError(NO_JAVA.format(wanted=JAVA, found=f"this is Java {found}"))


def _is_installed(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def _java_version() -> int | None:
    """The main version of the Java that Spark would start; None where there is none."""
    home = os.environ.get("JAVA_HOME")
    java = str(Path(home) / "bin" / "java") if home else shutil.which("java")
    if not java:
        return None
    try:
        told = subprocess.run([java, "-version"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    found = re.search(r'version "(?:1\.)?(\d+)', told.stderr + told.stdout)
    return int(found[1]) if found else None


def jvm_size(limit: str) -> str:
    """DuckDB's way of writing a size (`4GB`, `1.5 GiB`) as Java's, in whole mebibytes.

    Never less than what Spark takes by itself: in half of it a build of 100,000 people stops.
    """
    found = SIZE.fullmatch(limit)
    if not found:
        raise UsageError(f"COUNTERFOIL_MEMORY_LIMIT should be a size such as 4GB, not {limit!r}.")
    mebibytes = float(found["count"]) * 1024 ** ("kmgt".index(found["unit"].lower()) - 1)
    return f"{max(1024, int(mebibytes))}m"


def stop(session: Any) -> None:
    """End the session, and the Java process where it is ours: it would keep its memory."""
    with suppress(Exception):  # what has ended by itself needs no end
        session.stop()
    # pyspark's own mark of a server, which it leaves: the next session may be another's
    os.environ.pop("SPARK_CONNECT_MODE_ENABLED", None)
    from pyspark import SparkContext

    gateway = getattr(SparkContext, "_gateway", None)
    if gateway is None:
        return
    with suppress(Exception):
        gateway.shutdown()
    process = getattr(gateway, "proc", None)
    if process is not None:
        with suppress(Exception):
            process.stdin.close()
            process.wait(timeout=30)
    SparkContext._gateway = None
    SparkContext._jvm = None
