"""The registries that analysts declare: which files stand, and whether they can be read.

Source: `seeds/` in the project, with the files of another folder in the place of ours. Each is a
table of `seeds/_*.yml` (`rules.py`) and a CSV file (`sheet.py`).
"""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

from pipelines.errors import UsageError
from pipelines.home import private
from pipelines.registries import nearest
from pipelines.registries.check import check
from pipelines.registries.faults import Fault, RegistryError
from pipelines.registries.rules import declared
from pipelines.registries.sheet import Row, Sheet, read
from pipelines.settings import PROJECT_DIR, Settings

OURS = PROJECT_DIR / "seeds"
RULES = "identity_rules"
MIGRATIONS = "identity_migrations"
"""What was decided about the identity rules beside it, and says nothing about others."""
DIGITS = 16  # of the hash that names a copy of the registries
MEANT = 0.9  # how near a file's name comes to a registry's when somebody meant that one


def experiment_keys(seeds: Path) -> list[str]:
    """The experiments that the registry in this folder declares, sorted."""
    return sorted({row["experiment_key"] for row in rows(seeds / "experiments.csv")} - {""})


def rows(path: Path) -> list[Row]:
    """The rows of one registry in a folder that was checked; none where it is not there."""
    if not path.exists():
        return []
    return [row for _, row in read(path, declared(OURS)[path.stem]).rows]


def compose(settings: Settings, registries: Path | None) -> Path:
    """The folder dbt reads its seeds from: ours, with those present in `registries` in their place.

    Our migrations say nothing of other rules; our lock holds them until they have one of their
    own. Everything is checked on the way; the folder is written only when it would change, so
    that dbt need not parse again. What was checked is what is written.

    Raises:
        UsageError: see `checked`.
    """
    sheets = checked(registries)
    if registries is None:
        return OURS
    with private(settings.home):
        return _write(settings.home / "registries", sheets)


def checked(registries: Path | None) -> dict[str, Sheet]:
    """Every registry, ours or that of the folder in its place, by its file and without a fault.

    Raises:
        UsageError: the folder is not there, cannot be read or holds no registry.
        RegistryError: a file in it cannot be what it should be; every fault of every file is told.
    """
    known = declared(OURS)
    paths = {name: OURS / f"{name}.csv" for name in known}
    faults: list[Fault] = []
    replaced: set[str] = set()
    for path in _listed(registries) if registries is not None else []:
        if path.suffix == ".csv" and path.stem in known:
            paths[path.stem] = path
            replaced.add(path.stem)
        elif path.name == "identity_thresholds.csv":
            gone = "is no registry any more: take it out and set identity_minimum_rate in"
            faults.append(Fault(path.name, f"{gone} dbt_project.yml"))
        elif path.suffix.lower() == ".csv" and (meant := nearest.of(path.stem, known, MEANT)):
            faults.append(Fault(path.name, f"is no registry: name it {meant}.csv"))
    if registries is not None and not (replaced or faults):
        raise UsageError(f"{registries} holds no registry, such as experiments.csv.")
    sheets = {name: read(path, known[name]) for name, path in paths.items()}
    if RULES in replaced and MIGRATIONS not in replaced:
        header = f"{','.join(known[MIGRATIONS].rules)}\n"
        sheets[MIGRATIONS] = Sheet(paths[MIGRATIONS], content=header.encode())
    check(known, sheets, replaced)
    faults += [fault for sheet in sheets.values() for fault in sheet.faults]
    if faults:
        raise RegistryError(faults)
    return {f"{name}.csv": sheet for name, sheet in sheets.items()}


def _listed(registries: Path) -> list[Path]:
    try:
        return sorted(registries.iterdir())
    except (FileNotFoundError, NotADirectoryError) as error:
        raise UsageError(
            f"There is no folder of registries at {registries}: give --registries DIR."
        ) from error
    except OSError as error:
        why = (error.strerror or type(error).__name__).lower()
        raise UsageError(
            f"The folder of registries {registries} cannot be read ({why})."
        ) from error


def _write(folder: Path, sheets: dict[str, Sheet]) -> Path:
    """Lay the sheets out in one folder, named by content so that nothing changes in place."""
    files = {path.name: path.read_bytes() for path in sorted(OURS.glob("_*.yml"))}
    files |= {name: sheet.content for name, sheet in sheets.items()}
    digest = hashlib.sha256()
    for name, content in files.items():
        digest.update(name.encode() + b"\0" + content + b"\0")
    target = folder / digest.hexdigest()[:DIGITS]
    if not target.is_dir():
        for older in folder.glob("[0-9a-f]" * DIGITS):
            shutil.rmtree(older, ignore_errors=True)
        unfinished = target.with_suffix(".partial")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True)
        for name, content in files.items():
            (unfinished / name).write_bytes(content)
        unfinished.replace(target)
    return target
