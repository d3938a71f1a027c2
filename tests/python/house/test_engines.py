"""An engine that is not there is named in one sentence with what installs it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli import app
from pipelines.engines import engine_of, spark
from pipelines.engines.embedded import EmbeddedEngine
from pipelines.errors import UsageError
from pipelines.settings import Settings


def test_duckdb_builds_unless_spark_is_asked_for(settings: Settings) -> None:
    asked = settings.model_copy(update={"engine": "spark"})
    assert isinstance(engine_of(settings, is_build=True), EmbeddedEngine)
    assert isinstance(engine_of(asked, is_build=False), EmbeddedEngine)
    assert isinstance(engine_of(asked, is_build=True), spark.SparkEngine)


def test_without_the_extra_its_command_is_named(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyspark", None)
    with pytest.raises(UsageError, match=r"make \.venv/\.spark"):
        spark.require_spark(settings)


@pytest.mark.parametrize(
    ("said", "problem"),
    [(None, "no `java` is on the path"), ('openjdk version "11.0.2"', "this is Java 11")],
)
def test_without_java_its_package_is_named(
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    said: str | None,
    problem: str,
) -> None:
    monkeypatch.setattr(spark, "_is_installed", lambda name: True)
    monkeypatch.delenv("JAVA_HOME", raising=False)
    if said is not None:
        java = tmp_path / "java"
        java.write_text(f"#!/bin/sh\necho '{said}' >&2\n")
        java.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UsageError, match=problem) as refused:
        spark.require_spark(settings)
    assert "apt-get install openjdk-17-jre-headless" in str(refused.value)


def test_a_java_home_without_java_is_named(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(spark, "_is_installed", lambda name: True)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    with pytest.raises(UsageError, match="there is none in JAVA_HOME"):
        spark.require_spark(settings)


def test_a_server_needs_no_java(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spark, "_is_installed", lambda name: True)
    monkeypatch.setenv("PATH", "")
    spark.require_spark(settings.model_copy(update={"spark_remote": "sc://nowhere:1"}))


@pytest.mark.parametrize(
    ("limit", "size"),
    [("4GB", "4096m"), ("1.5 GiB", "1536m"), ("100MB", "1024m"), ("1tb", "1048576m")],
)
def test_a_limit_is_told_to_java_in_its_own_words(limit: str, size: str) -> None:
    assert spark.jvm_size(limit) == size


@pytest.mark.parametrize("limit", ["much", ".", "1..5GB", "4000000000", "-1", "80%", "1e3GB"])
def test_a_limit_that_is_no_size_is_refused(limit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="COUNTERFOIL_MEMORY_LIMIT"):
        spark.jvm_size(limit)
    monkeypatch.setenv("COUNTERFOIL_MEMORY_LIMIT", limit)
    result = CliRunner().invoke(app, ["load", "somewhere"])
    assert result.exit_code == 2
    assert "These settings cannot be read: COUNTERFOIL_MEMORY_LIMIT" in result.output
