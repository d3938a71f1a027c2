"""A fault of a registry: where it is, and what to do about it."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

from pipelines.errors import UsageError

MOST_A_FILE = 200
"""More faults than that have one cause: the first say it."""


@dataclass(frozen=True)
class Fault:
    """What is wrong in `file`; `line` counts from one, the header being the first."""

    file: str
    sentence: str
    line: int | None = None
    column: str | None = None

    def __str__(self) -> str:
        place = self.file + (f" line {self.line}" if self.line else "")
        return f"{place}{f': `{self.column}`' if self.column else ''} {self.sentence}."


class RegistryError(UsageError):
    """The registries have these faults, told all at once."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        by_file: dict[str, list[Fault]] = {}
        for fault in sorted(faults, key=lambda fault: (fault.file, fault.line or 0)):
            by_file.setdefault(fault.file, []).append(fault)
        lines = []
        for file, found in by_file.items():
            lines += [str(fault) for fault in found[:MOST_A_FILE]]
            if (more := len(found) - MOST_A_FILE) > 0:
                lines.append(f"{file} has {more:,} faults more.")
        several = f"The registries have {len(faults):,} faults.\n  "
        super().__init__((several if len(lines) > 1 else "") + "\n  ".join(lines))
        self.facts = {
            "faults": [
                dataclasses.asdict(fault)
                for found in by_file.values()
                for fault in found[:MOST_A_FILE]
            ]
        }
