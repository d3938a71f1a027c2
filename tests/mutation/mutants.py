"""Mutants: models with one break each, listed from their texts, in an order that a seed fixes."""

from __future__ import annotations

import difflib
import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import sqlglot
from breaks import BREAKS
from masked import Masked
from sqlglot.errors import SqlglotError

PROJECT = Path(__file__).resolve().parents[2]
DOMAINS = ("identity", "journeys", "segments", "experiments", "exposure", "heap")
"""Those whose rates are kept: all of their models are broken unless others are named."""
OTHERS = ("staging", "audiences", "loads", "insight", "review", "checklist")
"""Broken where they, or a model of theirs, are named."""


@dataclass(frozen=True)
class Mutant:
    """One model with one break.

    Attributes:
        key: stays the same as long as the broken lines and the step they stand in do.
        path: of the model, from the project's root.
        kind: the break's name.
        text: the whole broken model.
        line: where the break is, from 1.
    """

    key: str
    model: str
    path: str
    kind: str
    step: str
    text: str
    line: int
    diff: str

    @property
    def domain(self) -> str:
        return self.path.split("/")[1]


def models(domains: tuple[str, ...] = DOMAINS) -> list[Path]:
    """The models that are broken, by domain and path."""
    return [
        path for domain in domains for path in sorted((PROJECT / "models" / domain).rglob("*.sql"))
    ]


def mutants_of(path: Path) -> Iterator[Mutant]:
    """Every mutant of one model, in the order of its text."""
    raw = path.read_text(encoding="utf-8")
    masked = Masked.of(raw)
    relative = str(path.relative_to(PROJECT))
    seen: Counter[str] = Counter()
    texts = {raw}
    for make in BREAKS:
        for start, end, instead in make(masked):
            text = raw[:start] + instead + raw[end:]
            if text in texts:
                continue
            texts.add(text)
            lines = _changed_lines(raw, text)
            place = next(
                (at for at, token in enumerate(masked.tokens) if token.start >= start),
                len(masked.tokens) - 1,
            )
            step = masked.step(place)
            name = "\n".join([path.stem, make.__name__, step, *lines])
            seen[name] += 1
            key = hashlib.sha256(f"{name}\n{seen[name]}".encode()).hexdigest()[:12]
            yield Mutant(
                key=key,
                model=path.stem,
                path=relative,
                kind=make.__name__,
                step=step,
                text=text,
                line=raw.count("\n", 0, start) + 1,
                diff="\n".join(lines),
            )


def chosen(found: list[Mutant], seed: int, count: int | None) -> list[Mutant]:
    """A sample of so many, one of each model first; all of them where no count is given.

    The order within a model is drawn by the seed and each mutant's own key, so that a mutant more
    or less elsewhere changes nothing for the others.
    """
    by_model: dict[str, list[Mutant]] = {}
    for mutant in found:
        by_model.setdefault(mutant.model, []).append(mutant)
    for several in by_model.values():
        several.sort(key=lambda mutant: _draw(seed, mutant.key))
    ranked = [
        (number / len(several), _draw(seed, mutant.key), mutant)
        for several in by_model.values()
        for number, mutant in enumerate(several)
    ]
    ranked.sort(key=lambda entry: entry[:2])
    return [mutant for _, _, mutant in ranked][:count]


def _draw(seed: int, key: str) -> str:
    return hashlib.sha256(f"{seed} {key}".encode()).hexdigest()


def is_sql(text: str) -> bool:
    """Whether the text has a tree; false too where it has none for the Jinja that is masked."""
    try:
        sqlglot.parse_one(Masked.of(text).sql, dialect="duckdb")
    except (SqlglotError, RecursionError):
        return False
    return True


def _changed_lines(before: str, after: str) -> list[str]:
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), n=0, lineterm="")
    return [line.rstrip() for line in lines if line[:1] in "+-" and line[:3] not in ("+++", "---")]
