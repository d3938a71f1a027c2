"""The registries that analysts declare: which files stand, and whether they can be read.

Source: `seeds/` in the project, with the files of another folder in the place of ours.
"""

from __future__ import annotations

import csv
import hashlib
import io
import shutil
from collections.abc import Callable, Iterator
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import yaml

from pipelines.blanks import BLANKS
from pipelines.errors import UsageError
from pipelines.home import private
from pipelines.settings import PROJECT_DIR, Settings

OURS = PROJECT_DIR / "seeds"
HISTORY = ("identity_lock", "identity_migrations")
"""What was decided about the identity rules beside it, and says nothing about others."""
DIGITS = 16  # of the hash that names a copy of the registries
WEIGHT_TOLERANCE = 1e-6


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def _boolean(text: str) -> bool:
    if text.lower() not in {"true", "false"}:
        raise ValueError(text)
    return text.lower() == "true"


_READERS: dict[str, tuple[str, Callable[[str], object]]] = {
    "bigint": ("a whole number", int),
    "double": ("a number", float),
    "decimal(18,6)": ("a number", Decimal),
    "boolean": ("true or false", _boolean),
    "timestamp": ("a date and time such as 2026-06-01T00:00:00", _instant),
    "date": ("a date such as 2026-06-01", date.fromisoformat),
}


def declared() -> dict[str, dict[str, str]]:
    """Columns and types of each registry, as `seeds/_*.yml` declare them."""
    shapes: dict[str, dict[str, str]] = {}
    for path in sorted(OURS.glob("_*.yml")):
        for seed in yaml.safe_load(path.read_text(encoding="utf-8"))["seeds"]:
            shapes[seed["name"]] = seed["config"]["column_types"]
    return shapes


def rows_of(name: str, folder: Path) -> list[dict[str, Any]]:
    """Rows of one registry in a folder, typed; none where it is not there.

    Raises:
        UsageError: it cannot be read.
    """
    path = folder / f"{name}.csv"
    return _read(name, path, declared()[name]) if path.is_file() else []


def experiment_keys(seeds: Path) -> list[str]:
    """The experiments that the registry in this folder declares, sorted."""
    rows = _read("experiments", seeds / "experiments.csv", declared()["experiments"])
    return sorted({str(row["experiment_key"]) for row in rows if row["experiment_key"]})


def compose(settings: Settings, registries: Path | None) -> Path:
    """The folder dbt reads its seeds from: ours, with those present in `registries` in their place.

    The history of our identity rules goes where the rules go: other rules without a lock of their
    own have none. Everything is checked on the way; the folder is written only when it would
    change, so that dbt need not parse again.

    Raises:
        UsageError: the folder is not there, or a file in it cannot be what it should be.
    """
    if registries is not None and not registries.is_dir():
        raise UsageError(
            f"There is no folder of registries at {registries}: give --registries DIR."
        )
    if registries is not None and (registries / "identity_thresholds.csv").exists():
        raise UsageError(
            "identity_thresholds.csv is no registry any more: take it out of the folder and set "
            "identity_minimum_rate in dbt_project.yml."
        )
    shapes = declared()
    chosen = {name: OURS / f"{name}.csv" for name in shapes}
    for path in sorted(registries.glob("*.csv")) if registries else []:
        if path.stem in chosen:
            chosen[path.stem] = path
    if registries is not None and has_other_rules(registries):
        for name in HISTORY:
            if chosen[name].parent == OURS:
                del chosen[name]
    tables = {name: _read(name, path, shapes[name]) for name, path in chosen.items()}
    _check_weights(tables.get("experiment_arms", []))
    if registries is None:
        return OURS
    bare = {f"{name}.csv": f"{','.join(shapes[name])}\n" for name in shapes if name not in chosen}
    with private(settings.home):
        return _write(settings.home / "registries", chosen, bare)


def has_other_rules(registries: Path) -> bool:
    """Whether this folder has identity rules of its own."""
    return (registries / "identity_rules.csv").is_file()


def _read(name: str, path: Path, shape: dict[str, str]) -> list[dict[str, Any]]:
    """Rows of one registry, typed; every complaint names the file, the line and the column."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"{name}.csv cannot be read: save it as UTF-8 text you may read."
        ) from error
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    try:
        header = reader.fieldnames or []
        _check_header(name, header, shape)
        return list(_rows(name, reader, shape))
    except csv.Error as error:
        raise UsageError(
            f"{name}.csv is not well-formed CSV near line {reader.line_num}: {error}."
        ) from error


def _check_header(name: str, header: list[str] | Any, shape: dict[str, str]) -> None:
    unknown = [column for column in header if column not in shape]
    missing = [column for column in shape if column not in header]
    if unknown:
        raise UsageError(
            f"{name}.csv has an unknown column `{unknown[0]}`: it may have {', '.join(shape)}."
        )
    if missing:
        raise UsageError(f"{name}.csv lacks the column `{missing[0]}`: add it, empty if need be.")


def _rows(
    name: str, reader: csv.DictReader[str], shape: dict[str, str]
) -> Iterator[dict[str, Any]]:
    for row in reader:
        if None in row or any(value is None for value in row.values()):
            raise UsageError(
                f"{name}.csv line {reader.line_num} has {'more' if None in row else 'fewer'} "
                "fields than the header: check its commas and quotes."
            )
        yield {
            column: _value(name, reader.line_num, column, row[column].strip(BLANKS), kind)
            for column, kind in shape.items()
        }


def _value(name: str, line: int, column: str, text: str, kind: str) -> object:
    if not text:
        return None
    if kind not in _READERS:
        return text
    expected, read = _READERS[kind]
    try:
        return read(text)
    except (ValueError, InvalidOperation) as error:
        raise UsageError(f"{name}.csv line {line}: `{column}` should be {expected}.") from error


def _check_weights(arms: list[dict[str, Any]]) -> None:
    """Weights of one allocation version sum to one (within 1e-6)."""
    sums: dict[tuple[object, object], float] = {}
    for arm in arms:
        version = (arm["experiment_key"], arm["allocation_version"])
        sums[version] = sums.get(version, 0.0) + (arm["weight"] or 0.0)
    for (experiment, allocation), total in sums.items():
        if abs(total - 1.0) > WEIGHT_TOLERANCE:
            raise UsageError(
                f"experiment_arms.csv: the weights of `{experiment}`, allocation version "
                f"{allocation}, sum to {total:.6f}, not to 1."
            )


def _write(folder: Path, chosen: dict[str, Path], bare: dict[str, str]) -> Path:
    """Lay the files out in one folder, named by content so that nothing changes in place.

    Args:
        chosen: the registries that stand, by name.
        bare: the text of those that have a header and nothing else, by file name.
    """
    files = [*sorted(OURS.glob("_*.yml")), *chosen.values()]
    digest = hashlib.sha256()
    for path in files:
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    digest.update(repr(bare).encode())
    target = folder / digest.hexdigest()[:DIGITS]
    if not target.is_dir():
        for older in folder.glob("[0-9a-f]" * DIGITS):
            shutil.rmtree(older, ignore_errors=True)
        target.mkdir(parents=True)
        for path in files:
            shutil.copyfile(path, target / path.name)
        for name, text in bare.items():
            (target / name).write_text(text, encoding="utf-8")
    return target
