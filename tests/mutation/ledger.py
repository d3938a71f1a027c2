"""What became of each mutant, a line of JSON each: a run that was stopped goes on where it was."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from mutants import Mutant
from session import Verdict


@dataclass(frozen=True)
class Entry:
    """One mutant's verdict at one state of the project."""

    key: str
    state: str
    model: str
    path: str
    kind: str
    step: str
    line: int
    diff: str
    outcome: str
    by: str
    changed: int
    seconds: float

    @classmethod
    def of(cls, mutant: Mutant, verdict: Verdict, state: str) -> Entry:
        return cls(
            mutant.key, state, mutant.model, mutant.path, mutant.kind, mutant.step, mutant.line,
            mutant.diff, **asdict(verdict),
        )  # fmt: skip

    def holds(self, now: str) -> bool:
        """Whether the verdict still stands: what was noticed does, also when tests were added."""
        same_models = self.state.partition("-")[0] == now.partition("-")[0]
        return self.state == now or (same_models and self.outcome != "survived")

    @property
    def domain(self) -> str:
        return self.path.split("/")[1]


class Ledger:
    """The file, read once and appended to."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.last: dict[str, Entry] = {}
        if path.exists():
            for line in path.read_text(encoding="utf-8").splitlines():
                try:
                    entry = Entry(**json.loads(line))
                except (ValueError, TypeError):  # a line that a kill cut off
                    continue
                self.last[entry.key] = entry

    def add(self, entry: Entry) -> None:
        self.last[entry.key] = entry
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(entry)) + "\n")
