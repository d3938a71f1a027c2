"""What a cell of a registry may hold, as `seeds/_*.yml` declare it: types, tests and `config.meta`.

dbt reads the same declarations: what its tests hold of a registry is held here too, before a build,
by file, line and column. What they cannot say stands in `config.meta` of a column:

| word | the cell |
| --- | --- |
| `is` | is a `key`, a `zone`, a `currency`, a `message`, a `csv_pattern` or a `word` |
| `at_least`, `at_most`, `above`, `below` | is a number within |
| `after` | is a time after the one in that column |
| `words` | is a list of these, joined with a bar |
| `names` | names a value of that column of that registry |
| `needed_where` | holds a value where another column holds this one |
| `empty_means` | means this when it is empty |
| `may_lack` | is empty where a file lacks the column: it came later than the contract |

and in that of a registry: `sums_to_one` (a column, and by which columns),
`never_back` (two columns, of which no chain `from` one `to` the other comes back; by which column,
whose empty cells mean all).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from pipelines.errors import CounterfoilError

Columns = tuple[str, ...]

WORDS = {
    "is", "at_least", "at_most", "above", "below", "after", "words", "names", "needed_where",
    "empty_means", "may_lack",
}  # fmt: skip
SORTS = {"key", "zone", "currency", "message", "csv_pattern", "word"}


@dataclass(frozen=True)
class Rule:
    """What the cells of one column may hold. `bounds` are the four words for numbers."""

    column: str
    type: str
    sort: str = ""
    is_required: bool = False
    values: Columns = ()
    words: Columns = ()
    bounds: Mapping[str, float] = field(default_factory=dict)
    after: str = ""
    names: tuple[str, str] | None = None
    needed_where: Mapping[str, str] = field(default_factory=dict)
    empty_means: str = ""
    may_lack: bool = False


@dataclass(frozen=True)
class Registry:
    """The columns of a registry, and which of them, taken together, no two rows share."""

    name: str
    rules: Mapping[str, Rule]
    unique: tuple[Columns, ...]
    sums_to_one: tuple[str, Columns] | None = None
    never_back: tuple[str, str, str] | None = None


@cache
def declared(folder: Path) -> Mapping[str, Registry]:
    """Every registry that `_*.yml` of the folder declare, by name."""
    found = {}
    for path in sorted(folder.glob("_*.yml")):
        for seed in yaml.safe_load(path.read_text(encoding="utf-8"))["seeds"]:
            found[seed["name"]] = _registry(seed)
    return found


def _registry(seed: dict[str, Any]) -> Registry:
    types: dict[str, str] = seed["config"]["column_types"]
    columns = {column["name"]: column for column in seed["columns"]}
    required = {name for test in _tests(seed, "no_nulls") for name in test["columns"]}
    unique = [tuple(test["combination_of_columns"]) for test in _tests(seed, "unique_combination")]
    unique += [(name,) for name, column in columns.items() if list(_tests(column, "unique"))]
    required |= {name for name, column in columns.items() if list(_tests(column, "not_null"))}
    rules = {
        name: _rule(name, kind, columns[name], is_required=name in required)
        for name, kind in types.items()
    }
    meta = seed["config"].get("meta", {})
    sums, back = meta.get("sums_to_one"), meta.get("never_back")
    return Registry(
        name=seed["name"],
        rules=rules,
        unique=tuple(unique),
        sums_to_one=(sums["column"], tuple(sums["by"])) if sums else None,
        never_back=(back["from"], back["to"], back["by"]) if back else None,
    )


def _rule(name: str, kind: str, column: dict[str, Any], *, is_required: bool) -> Rule:
    meta: dict[str, Any] = column.get("config", {}).get("meta", {})
    if set(meta) - WORDS or meta.get("is", "key") not in SORTS:
        raise CounterfoilError(
            f"seeds/*.yml say of `{name}` what pipelines/registries/rules.py does not know."
        )
    registry, _, referred = meta.get("names", "").partition(".")
    return Rule(
        column=name,
        type=kind,
        sort=meta.get("is", ""),
        is_required=is_required,
        values=tuple(
            str(value) for test in _tests(column, "accepted_values") for value in test["values"]
        ),
        words=tuple(meta.get("words", ())),
        bounds={
            word: meta[word] for word in ("at_least", "at_most", "above", "below") if word in meta
        },
        after=meta.get("after", ""),
        names=(registry, referred) if registry else None,
        needed_where=meta.get("needed_where", {}),
        empty_means=str(meta.get("empty_means", "")),
        may_lack=bool(meta.get("may_lack", False)),
    )


def _tests(node: dict[str, Any], name: str) -> Iterable[dict[str, Any]]:
    """The arguments of each test of this name on a registry or a column."""
    for test in node.get("data_tests", ()):
        if test == name:
            yield {}
        elif isinstance(test, dict) and name in test:
            yield test[name].get("arguments", {})
