"""Statements that Python owns stand in `.sql` files beside the module that runs them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

_NAME = re.compile(r"\{(\w+)\}")


def names_in(file: Path) -> list[str]:
    """The names that a statement leaves open, `{name}`, each once and in its order."""
    return list(dict.fromkeys(_NAME.findall(file.read_text(encoding="utf-8"))))


def read_sql(file: Path, **names: str | float) -> str:
    """The statement of a file, with SQL or a number in the place of each `{name}`.

    Raises:
        KeyError: the statement has a name that nothing was given for.
    """
    pieces = {name: str(piece) for name, piece in names.items()}
    return fill(file.read_text(encoding="utf-8"), pieces)


def fill(statement: str, names: Mapping[str, str]) -> str:
    """A statement with SQL in the place of each `{name}`; other braces stay."""
    return _NAME.sub(lambda found: names[found[1]], statement)
