"""The one settings object. Nothing else reads the environment."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

PROJECT_DIR = Path(__file__).resolve().parent.parent


def _absolute(path: Path) -> Path:
    # a database's relative path could be read as an address (md:, s3:)
    try:
        return path.expanduser().absolute()
    except RuntimeError as error:  # ~ of nobody
        raise ValueError(str(error)) from error


SIZE = re.compile(r"\s*(?P<count>[0-9]+(\.[0-9]+)?)\s*(?P<unit>[kmgt])i?b?\s*", re.IGNORECASE)
"""How DuckDB writes a size that another engine can be told too: `4GB`, `1.5 GiB`."""


def _size(text: str) -> str:
    if not SIZE.fullmatch(text):
        raise ValueError("no size")
    return text


class Settings(BaseSettings):
    """Settings from the environment or `.env` in the project; command-line flags win over both."""

    model_config = SettingsConfigDict(
        env_file=PROJECT_DIR / ".env", extra="ignore", env_ignore_empty=True
    )

    home: Annotated[Path, AfterValidator(_absolute)] = Field(
        default=PROJECT_DIR / ".counterfoil", validation_alias="COUNTERFOIL_HOME"
    )
    threads: int = Field(default=2, ge=1, le=256, validation_alias="COUNTERFOIL_THREADS")
    memory_limit: Annotated[str, AfterValidator(_size)] = Field(
        default="4GB", validation_alias="COUNTERFOIL_MEMORY_LIMIT"
    )
    engine: Literal["duckdb", "spark"] = Field(
        default="duckdb", validation_alias="COUNTERFOIL_ENGINE"
    )
    spark_master: str | None = Field(default=None, validation_alias="COUNTERFOIL_SPARK_MASTER")
    spark_remote: str | None = Field(default=None, validation_alias="SPARK_REMOTE")
    heap_app_id: SecretStr | None = Field(default=None, validation_alias="HEAP_APP_ID")
    heap_region: str | None = Field(default=None, validation_alias="HEAP_REGION")
    heap_url: str | None = Field(default=None, validation_alias="HEAP_URL")
    heap_api_key: SecretStr | None = Field(default=None, validation_alias="HEAP_API_KEY")
    app_api_key: SecretStr | None = Field(default=None, validation_alias="CUSTOMERIO_APP_API_KEY")
    customerio_region: str | None = Field(default=None, validation_alias="CUSTOMERIO_REGION")
    customerio_url: str | None = Field(default=None, validation_alias="CUSTOMERIO_URL")
    site_id: SecretStr | None = Field(default=None, validation_alias="CUSTOMERIO_SITE_ID")
    track_api_key: SecretStr | None = Field(
        default=None, validation_alias="CUSTOMERIO_TRACK_API_KEY"
    )
    track_url: str | None = Field(default=None, validation_alias="CUSTOMERIO_TRACK_URL")
    customerio_workspace: int | None = Field(
        default=None, ge=0, validation_alias="CUSTOMERIO_WORKSPACE"
    )
    webhook_key: SecretStr | None = Field(default=None, validation_alias="CUSTOMERIO_WEBHOOK_KEY")
    heap_webhook_secret: SecretStr | None = Field(
        default=None, validation_alias="HEAP_WEBHOOK_SECRET"
    )
    notify: SecretStr | None = Field(default=None, validation_alias="COUNTERFOIL_NOTIFY")

    @property
    def raw_path(self) -> Path:
        """What was loaded (written by dlt)."""
        return self.home / "raw.duckdb"

    @property
    def warehouse_path(self) -> Path:
        """What was built (written by dbt, attaches raw read-only)."""
        return self.home / "warehouse.duckdb"

    @property
    def ledger_path(self) -> Path:
        """What Heap was told (written by the publisher): the only state worth backing up."""
        return self.home / "ledger.duckdb"

    @property
    def spool_dir(self) -> Path:
        """Webhooks that were received, in files that a load reads."""
        return self.home / "spool"

    @property
    def snapshots_dir(self) -> Path:
        """What the App API told of names and segments: exports of our own, kept like any others."""
        return self.home / "snapshots"

    @property
    def plans_dir(self) -> Path:
        """One file per plan."""
        return self.home / "plans"

    @property
    def reviews_dir(self) -> Path:
        """One page and one JSON per review."""
        return self.home / "reviews"
