"""People and deliveries in the CSV files that somebody exports from Customer.io's pages or App API.

Their headings are not documented, and go by what was asked for. So nothing is known of them here:
two registries say which files they are (`export_files.csv`) and what a heading means
(`export_headings.csv`). A heading that nobody named is not read.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

from pipelines.blanks import BLANKS
from pipelines.errors import UsageError
from pipelines.loading.families import READERS, FileName, extension
from pipelines.loading.sources import customerio
from pipelines.registries import checked, nearest
from pipelines.registries.faults import Fault, RegistryError

# A column that nobody named may hold personal text.
FAMILIES = {
    family.name: replace(family, keeps_unknown=False)
    for family in customerio.WAREHOUSE
    if family.name in ("people", "deliveries")
}


def recogniser(registries: Path | None) -> Callable[[PurePosixPath], FileName | None]:
    """What a file is by the registries, or None.

    Raises:
        UsageError: a registry cannot be what it should be.
    """
    sheets = checked(registries)
    headings = _headings(sheets["export_headings.csv"].rows)
    files = [row for _, row in sheets["export_files.csv"].rows]

    def recognise(path: PurePosixPath) -> FileName | None:
        kinds = {
            (row["family"], int(row["workspace_id"]))
            for row in files
            if _is_named(path.name, row["file_pattern"])
        }
        if len(kinds) > 1:
            raise UsageError(
                "export_files.csv says two things of one file: let its patterns meet no name twice."
            )
        for name, workspace_id in kinds:
            return FileName(
                FAMILIES[name],
                READERS[extension(path.name)],
                workspace_id=workspace_id,
                constants=(("workspace_id", str(workspace_id)),),
                headings=headings[name],
            )
        return None

    return recognise


def _is_named(name: str, pattern: str) -> bool:
    """Whether a name is of a pattern: a star stands for any signs, every other sign for itself."""
    return fnmatchcase(name, re.sub(r"[?[]", r"[\g<0>]", pattern))


def _headings(rows: list[tuple[int, dict[str, str]]]) -> dict[str, tuple[tuple[str, str], ...]]:
    """Pairs of heading and column of each family."""
    found: dict[str, list[tuple[str, str]]] = {name: [] for name in FAMILIES}
    faults = []
    for line, row in rows:
        known = FAMILIES[row["family"]].columns
        if row["column_name"] not in known:
            meant = nearest.of(row["column_name"], known)
            said = f"is no column of {row['family']}, which has {', '.join(known)}"
            more = f": write `{meant}`" if meant else ""
            faults.append(Fault("export_headings.csv", said + more, line, "column_name"))
        found[row["family"]].append((row["heading"].strip(BLANKS), row["column_name"]))
    if faults:
        raise RegistryError(faults)
    return {name: tuple(sorted(pairs)) for name, pairs in found.items()}
