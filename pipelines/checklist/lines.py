"""One line of a checklist, and all of them, as they are printed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

SHOWN = {"ok": "ok", "fail": "FAIL", "waived": "waived", "not applicable": "n.a."}
"""How a verdict of `fct_checklist` is printed, in the order in which they are counted."""

ORDER = ("fail", "waived", "ok", "not applicable")
"""What needs attention comes first on a screen."""


@dataclass(frozen=True)
class Line:
    """One row of `fct_checklist`.

    Attributes:
        name: what it is called in the JSON; never changes.
        title: what must be true.
        verdict: ok, fail, waived or not applicable.
        measured: what was found, in words and numbers.
        threshold: what it is compared with.
        advice: what to do when it fails.
        sentence: all of this as one text.
        waived_by: who answers for the waiver that holds for it.
        waived_until: from this day on the waiver holds no longer.
    """

    name: str
    title: str
    verdict: str
    measured: str
    threshold: str
    advice: str
    sentence: str
    waived_by: str | None = None
    waived_until: date | None = None

    def text(self) -> str:
        """`FAIL  match rate: 64.0 % (at least 70 %). What to do.`"""
        return f"{SHOWN[self.verdict]:<5} {self.sentence}"

    def facts(self) -> dict[str, object]:
        """What --json prints of it."""
        return {
            "name": self.name,
            "title": self.title,
            "verdict": self.verdict,
            "measured": self.measured,
            "threshold": self.threshold,
            "advice": "" if self.verdict == "not applicable" else self.advice,
        } | (
            {"waived_by": self.waived_by, "waived_until": str(self.waived_until)}
            if self.verdict == "waived"
            else {}
        )


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
        """How many lines fail; a waived one does not, nor one that does not apply."""
        return sum(line.verdict == "fail" for line in self.lines)

    def facts(self) -> dict[str, object]:
        """What --json prints."""
        return {
            "subject": self.subject,
            "count_failed": self.count_failed,
            "lines": [line.facts() for line in self.lines],
        }

    def table(self) -> list[list[str]]:
        """What fails first, each with what was asked and what to do; then the rest in its order."""
        rows = []
        for line in self._by_need():
            rows.append([SHOWN[line.verdict], line.title, line.measured])
            if line.verdict == "fail":
                rows += [["", "", f"asked: {line.threshold}"], ["", "", f"to do: {line.advice}"]]
            if line.verdict == "waived":
                rows.append(["", "", f"waived by {line.waived_by} until {line.waived_until}"])
        return rows

    def title(self) -> str:
        """How much of it needs attention, in words."""
        asked = [line for line in self.lines if line.verdict != "not applicable"]
        unasked = len(self.lines) - len(asked)
        said = (
            f"{self.count_failed} of {len(asked)} lines need attention"
            if self.count_failed
            else f"all of {len(asked)} lines hold"
        )
        more = f"; {unasked} cannot be judged yet (n.a.)" if unasked else ""
        return f"Checklist of {self.subject}: {said}{more}."

    def text(self) -> str:
        """A heading with the count, and one line per check, in the order of the table."""
        counted = {v: sum(line.verdict == v for line in self.lines) for v in SHOWN}
        said = ", ".join(f"{n} {v}" for v, n in counted.items() if n or v != "waived")
        head = f"Checklist of {self.subject}: {said}"
        return "\n".join([head, *(f"  {line.text()}" for line in self._by_need())])

    def _by_need(self) -> list[Line]:
        """What fails first, then the rest, each in the order in which to mend it."""
        return sorted(self.lines, key=lambda line: ORDER.index(line.verdict))
