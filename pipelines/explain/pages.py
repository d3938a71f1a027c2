"""Two pages of the state folder, or of anywhere, and their figures by name."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from pipelines.errors import UsageError
from pipelines.review import words
from pipelines.review.families import FAMILIES
from pipelines.review.family import Family
from pipelines.review.numbers import name_of
from pipelines.review.page import stem_of
from pipelines.settings import Settings

TOLD = ("status", "reasons", "verdict")
"""Columns of words that are compared beside the numbers: what a figure may say at all."""


@dataclass(frozen=True)
class PageData:
    """The JSON of one page.

    Attributes:
        name: as it was asked for, fit to be shown.
        as_of: the instant it was made for.
        facts: all of it.
    """

    name: str
    as_of: datetime
    facts: dict[str, Any]

    @property
    def basis(self) -> dict[str, Any]:
        """What it was made of; empty where an older version wrote it."""
        return dict(self.facts.get("basis") or {})

    def figures(self) -> dict[str, tuple[Family, Any]]:
        """Every number of the page, and whether it may be read, by name."""
        return {name: (family, value) for family, name, value in self._figures()}

    def _figures(self) -> Iterator[tuple[Family, str, Any]]:
        for family in FAMILIES:
            for row in _rows_at(self.facts, family.at):
                if not _is_of(family, row) or any(key not in row for key in family.keys):
                    continue
                columns = [*(family.columns or _numbers(family, row)), *TOLD]
                for column in columns:
                    if column in row:
                        yield family, name_of(family.name, row, column), row[column]


def read_page(settings: Settings, asked: str) -> PageData:
    """The page of a file, or of an instant.

    Raises:
        UsageError: there is none, or it is no page of ours.
    """
    shown = words.clean(asked)
    path = _path(settings, asked)
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
        as_of = datetime.fromisoformat(facts["as_of"])
    except OSError as error:
        raise UsageError(
            f"There is no page {shown}: name the JSON of one, or an instant that `counterfoil "
            "review` wrote one for."
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError(
            f"{shown} is no page of `counterfoil review`: name the file that ends in .json."
        ) from error
    return PageData(shown, as_of, facts)


def _path(settings: Settings, asked: str) -> Path:
    try:
        as_of = datetime.fromisoformat(asked.strip())
    except ValueError:
        return Path(asked)
    return settings.reviews_dir / f"{stem_of(as_of)}.json"


def _rows_at(facts: dict[str, Any], at: str) -> Iterator[dict[str, Any]]:
    """The rows under a path in which `[]` stands for every element; none where it leads nowhere."""
    found: list[Any] = [facts]
    for part in at.split("."):
        below = [one.get(part.removesuffix("[]")) for one in found if isinstance(one, dict)]
        found = [one for one in below if one is not None]
        if part.endswith("[]"):
            found = [element for one in found for element in one]
    for one in found:
        yield from one


def _is_of(family: Family, row: dict[str, Any]) -> bool:
    """Whether a row is this family's, where several families stand in one place of the JSON."""
    if not {"population", "stratum"} <= set(row) or not (family.where or family.listed != "true"):
        return True
    is_decision = (row["population"], row["stratum"]) == ("itt", "all")
    return is_decision if family.where else not is_decision


def _numbers(family: Family, row: dict[str, Any]) -> list[str]:
    return [
        name
        for name, value in row.items()
        if name not in family.keys
        and not name.endswith("_id")
        and (value is None or isinstance(value, int | float))
        and not isinstance(value, bool)
    ]
