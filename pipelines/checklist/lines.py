"""One line of a checklist, and all of them."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Literal

Verdict = Literal["ok", "fail", "n.a."]


@dataclass(frozen=True)
class Line:
    """One check.

    Attributes:
        name: what it is called in the JSON; never changes.
        title: what must be true.
        verdict: `n.a.` where what it would be measured from is not there.
        measured: what was found, in words and numbers.
        threshold: what it is compared with.
        advice: what to do when it fails.
    """

    name: str
    title: str
    verdict: Verdict
    measured: str
    threshold: str
    advice: str

    def text(self) -> str:
        """`FAIL  match rate: 64.0 % (at least 70 %). What to do.`"""
        shown = {"ok": "ok", "fail": "FAIL", "n.a.": "n.a."}[self.verdict]
        said = f"{shown:<5} {self.title}: {self.measured} ({self.threshold})."
        return f"{said} {self.advice}" if self.verdict == "fail" else said


@dataclass(frozen=True)
class Checklist:
    """The lines in the order in which to mend them.

    Attributes:
        subject: what was checked: the implementation, or one journey.
    """

    subject: str
    lines: tuple[Line, ...]

    @property
    def count_failed(self) -> int:
        """How many lines fail; `n.a.` does not."""
        return sum(line.verdict == "fail" for line in self.lines)

    def facts(self) -> dict[str, object]:
        """What --json prints."""
        return {
            "subject": self.subject,
            "count_failed": self.count_failed,
            "lines": [dataclasses.asdict(line) for line in self.lines],
        }

    def text(self) -> str:
        """A heading with the count, and one line per check."""
        counted = {
            verdict: sum(line.verdict == verdict for line in self.lines)
            for verdict in ("ok", "fail", "n.a.")
        }
        head = (
            f"Checklist of {self.subject}: {counted['ok']} ok, {counted['fail']} fail, "
            f"{counted['n.a.']} not applicable"
        )
        return "\n".join([head, *(f"  {line.text()}" for line in self.lines)])


def judged(name: str, title: str, is_met: bool, measured: str, threshold: str, advice: str) -> Line:
    """A line that was measured."""
    return Line(name, title, "ok" if is_met else "fail", measured, threshold, advice)


def not_applicable(name: str, title: str, why: str, threshold: str) -> Line:
    """A line that nothing here can measure."""
    return Line(name, title, "n.a.", why, threshold, "")
