"""Segment versions as dbt sees them: what their yml says, and the fingerprint of their logic."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipelines import registries as registry_files
from pipelines import warehouse
from pipelines.errors import CounterfoilError
from pipelines.home import private
from pipelines.settings import PROJECT_DIR, Settings

_MARK = "segments: "


@dataclass(frozen=True)
class SegmentVersion:
    """One version of a segment, from its yml (`config.meta`) and its logic.

    Attributes:
        parts: what the fingerprint is made of: `sources`, `macros`, `vars`.
    """

    segment_key: str
    version: int
    motion: str | None
    owner: str | None
    is_exported: bool
    valid_from: str | None
    valid_to: str | None
    description: str
    fingerprint: str
    parts: dict[str, dict[str, Any]] = field(repr=False)

    @property
    def name(self) -> str:
        """Key and version as one word: `cart_abandoner_v1`."""
        return f"{self.segment_key}_v{self.version}"


def read_versions(settings: Settings, project: Path = PROJECT_DIR) -> list[SegmentVersion]:
    """Ask dbt for the segment versions of the project; nothing is built and no database is opened.

    Raises:
        CounterfoilError: the project cannot be parsed; the reason names the place.
    """
    said: list[str] = []

    def listen(event: Any) -> None:
        if event.info.name == "JinjaLogInfo" and event.info.msg.startswith(_MARK):
            said.append(event.info.msg.removeprefix(_MARK))

    # a state folder of its own: nothing of the real one is opened, and the parse is kept for later
    aside = settings.model_copy(update={"home": settings.home / "definitions"})
    with private(settings.home):
        _ensure_empty_raw(aside.home)
        warehouse.invoke(
            aside,
            registry_files.compose(settings, None),
            ["run-operation", "print_segments"],
            on_event=listen,
            project=project,
        )
    if not said:
        raise CounterfoilError("dbt named no segments: run `dbt parse` to see what is wrong.")
    facts = json.loads(said[-1])
    return [_version(meta, facts["fingerprints"]) for meta in facts["versions"]]


def _ensure_empty_raw(home: Path) -> None:
    import duckdb

    home.mkdir(parents=True, exist_ok=True)
    if not (home / "raw.duckdb").exists():
        duckdb.connect(str(home / "raw.duckdb")).close()


def _version(meta: dict[str, Any], fingerprints: dict[str, Any]) -> SegmentVersion:
    parts = dict(fingerprints[meta["name"]])
    return SegmentVersion(
        segment_key=meta["segment_key"],
        version=int(meta["version"]),
        motion=meta.get("motion"),
        owner=meta.get("owner"),
        is_exported=bool(meta.get("is_exported")),
        valid_from=meta.get("valid_from"),
        valid_to=meta.get("valid_to"),
        description=str(meta.get("description") or "").strip(),
        fingerprint=parts.pop("fingerprint"),
        parts=parts,
    )
