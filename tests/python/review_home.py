"""The sample brand, built once per test run: what page and checklist are read from."""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb
import pytest
from made_once import made_once

from pipelines.console import Console
from pipelines.settings import Settings

PEOPLE = 800
LOADED = "loaded.duckdb"
"""What was loaded, out of the way: the warehouse must do without it."""


def built_home(factory: pytest.TempPathFactory) -> Path:
    """The state folder of the built brand, shared by all workers: copy it to change it."""
    return made_once(factory, "sample-brand-home", _build)


def _build(home: Path) -> None:
    from pipelines.loading import load
    from pipelines.sample import SAMPLE_AS_OF, write_sample
    from pipelines.warehouse import build

    console = Console(as_json=True)
    settings = settings_for(home)
    brand = home / "sample"
    write_sample(brand, people=PEOPLE, console=console)
    load([str(brand / "export")], settings, console)
    build(settings, console, as_of=SAMPLE_AS_OF, registries=brand / "seeds")
    (home / "raw.duckdb").rename(home / LOADED)
    (brand / "truth").rename(home / "truth")
    shutil.rmtree(brand)


def settings_for(home: Path) -> Settings:
    """Settings of that state folder and nothing else."""
    return Settings(_env_file=None).model_copy(update={"home": home})  # type: ignore[call-arg]


def changed(home: Path, folder: Path, *statements: str) -> Settings:
    """A copy of the state folder, its warehouse changed by these statements if there are any."""
    folder.mkdir(parents=True)
    for name in ("warehouse.duckdb", "manifest.json"):
        shutil.copy(home / name, folder / name)
    with duckdb.connect(str(folder / "warehouse.duckdb")) as db:
        for statement in statements:
            db.execute(statement)
    return settings_for(folder)
