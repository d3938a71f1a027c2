"""The brand that mutants are built on: loaded and built once for each state of the project.

It is several small brands side by side, each in workspaces of its own: the sample brand, the
stories of identity, two feeds that tell of the same world, drawn experiments, and the brand whose
answers are known. So every rule has somebody whom it concerns.
"""

from __future__ import annotations

import csv
import hashlib
import shutil
import sys
from datetime import datetime
from pathlib import Path

from mutants import PROJECT
from session import Brand, variables

from pipelines.settings import Settings

AS_OF = datetime(2026, 6, 1)
PEOPLE = 400
SEED = 7
BUILT_FROM = ("models/**/*.sql", "macros/**/*.sql", "seeds/*.csv", "dbt_project.yml")
TESTED_BY = ("models/**/*.yml", "tests/dbt/**/*", "tests/mutation/session.py")
CASES = tuple(f"tests/python/{room}" for room in ("identity", "journeys", "experiments"))
LOADED_FROM = (
    "pipelines/sample/**/*", "pipelines/loading/**/*", "tests/mutation/brand.py",
    "tests/python/exports.py", "tests/scenarios/identity/*",
    "tests/python/fixture_brand.py", "tests/scenarios/brand/**/*",
    "tests/python/identity/identity_stories.py", "tests/python/journeys/feed_cases.py",
    "tests/python/experiments/experiment_worlds.py",
)  # fmt: skip
WORLDS = (2, 7)
"""Drawn experiments: arms by branch and by attribute, with a trap and without, several weights."""
KEYS = {
    "metrics.csv": ("metric_key",),
    "behavior_map.csv": ("event_name",),
    "identity_rules.csv": ("workspace_id", "identifier_type"),
}


def state() -> str:
    """What a mutant's fate depends on: a hash of the models and the brand, and one of the tests."""
    return f"{_hash((*BUILT_FROM, *LOADED_FROM))}-{_hash(TESTED_BY)}"


def built_brand(folder: Path) -> Brand:
    """The brand, made below `folder` unless it is there for this state of the project.

    Raises:
        CounterfoilError: it cannot be loaded or built.
    """
    from pipelines import registries
    from pipelines.console import Console
    from pipelines.loading import load
    from pipelines.warehouse import invoke

    loaded = folder / f"loaded-{_hash(LOADED_FROM)}"
    if not (loaded / "raw.duckdb").exists():
        shutil.rmtree(loaded, ignore_errors=True)
        load(_write_exports(loaded), _settings(loaded), Console(as_json=True))
    home = folder / f"built-{_hash((*BUILT_FROM, *LOADED_FROM))}"
    settings = _settings(home)
    seeds = registries.compose(settings, loaded / "seeds")
    if not (home / "is_built").exists():
        for old in folder.glob("built-*"):
            if old != home:
                shutil.rmtree(old, ignore_errors=True)
        shutil.copy(loaded / "raw.duckdb", home / "raw.duckdb")
        # without the tests: whichever notices a mutant has to pass on the sound brand first
        left_out = ("--exclude-resource-type", "test", "--exclude-resource-type", "unit_test")
        invoke(settings, seeds, ["build", "--vars", variables(str(AS_OF)), *left_out])
        (home / "is_built").touch()
    return Brand(home=home, seeds=seeds, as_of=str(AS_OF))


def _write_exports(folder: Path) -> list[str]:
    """Write every small brand; their registries become one, in `seeds/`."""
    sys.path[:0] = [str(PROJECT / "tests" / "python"), *(str(PROJECT / place) for place in CASES)]
    import experiment_worlds
    import feed_cases
    import fixture_brand
    import identity_stories as stories

    from pipelines.console import Console
    from pipelines.sample import write_sample

    sample = folder / "sample"
    write_sample(sample, people=PEOPLE, seed=SEED, console=Console(as_json=True))
    told = stories.read_stories()
    days = [stories.write_day(folder / "stories", told, day) for day in stories.DAYS]
    rules = stories.write_registries(folder / "stories_seeds", told, PROJECT / "seeds")
    feeds = feed_cases.write(folder / "feeds")
    drawn = experiment_worlds.write([experiment_worlds.world(seed) for seed in WORLDS], ("base",))
    export, seeds = drawn.export.write(folder / "worlds")
    (seeds / "identity_rules.csv").unlink()  # those of the stories hold for all
    known, known_seeds = fixture_brand.write(folder / "known")
    _join_registries([rules, sample / "seeds", seeds, known_seeds], folder / "seeds")
    exports = [sample / "export", *days, feeds.early, feeds.late, export, known]
    return [str(path) for path in exports]


def _join_registries(folders: list[Path], joined: Path) -> None:
    """One folder of registries; of rows with the same key the first counts."""
    joined.mkdir()
    for name in sorted({path.name for folder in folders for path in folder.glob("*.csv")}):
        rows: list[dict[str, str]] = []
        for folder in folders:
            if (folder / name).exists():
                with (folder / name).open(encoding="utf-8-sig", newline="") as file:
                    rows += csv.DictReader(file)
        if name in KEYS:
            first = {tuple(row[key] for key in KEYS[name]): row for row in reversed(rows)}
            rows = list(first.values())[::-1]
        columns = list(dict.fromkeys(column for row in rows for column in row))
        with (joined / name).open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, columns, restval="", lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)


def _settings(home: Path) -> Settings:
    settings = Settings(_env_file=None)  # type: ignore[call-arg]
    return settings.model_copy(update={"home": home})


def _hash(places: tuple[str, ...]) -> str:
    digest = hashlib.sha256()
    for place in places:
        for path in sorted(PROJECT.glob(place)):
            if path.is_file() and path.suffix != ".pyc":
                digest.update(f"{path.relative_to(PROJECT)}\n".encode())
                digest.update(path.read_bytes())
    return digest.hexdigest()[:12]
