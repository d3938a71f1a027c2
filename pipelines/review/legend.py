"""Why something is or is not told: a short tag wherever it holds, and one sentence a tag."""

from __future__ import annotations

from collections.abc import Iterable

from markupsafe import Markup, escape

from pipelines.built.tables import Record
from pipelines.review import words
from pipelines.review.guardrails import Guardrails

Reason = tuple[str, bool]
"""A code, and whether it only warns."""


class Legend:
    """The tags of one page. Whatever was tagged has its sentence in `entries`, once."""

    def __init__(self, checks: Guardrails) -> None:
        self._checks = checks
        self._used: dict[str, tuple[str, str]] = {}

    def tag(self, reason: Reason) -> Markup:
        """One reason, as a link to its sentence."""
        code, warns = reason
        label, sentence = say(self._checks, reason)
        anchor = f"why-{words.slug(code)}"
        if self._used.setdefault(anchor, (label, sentence)) != (label, sentence):
            anchor += "-warns" if warns else "-stops"
            self._used.setdefault(anchor, (label, sentence))
        return Markup('<a class="tag" href="#{}">{}</a>').format(anchor, escape(label))

    def mark(self, reason: Reason) -> Markup:
        """One reason where a link to its sentence stands beside it or below."""
        self.tag(reason)
        return Markup('<span class="tag">{}</span>').format(say(self._checks, reason)[0])

    def tags(self, reasons: Iterable[Reason]) -> Markup:
        """Several, one after another."""
        return Markup(" ").join(self.tag(reason) for reason in reasons)

    def of_row(self, row: Record) -> Markup:
        """The tags of a row's `reasons`: what does not make it invalid only warns."""
        warns = row["status"] != "invalid"
        return self.tags((code, warns) for code in words.codes_of(row["reasons"]))

    def entries(self) -> list[tuple[str, str, str]]:
        """Anchor, label and sentence of every tag that was used, by label."""
        return sorted(
            ((anchor, *told) for anchor, told in self._used.items()), key=lambda entry: entry[1:]
        )


def say(checks: Guardrails, reason: Reason) -> tuple[str, str]:
    """Label and sentence of a reason: a check's, or that of a decision."""
    code, warns = reason
    if code in words.WHY:
        return words.WHY[code]
    return checks.label(code), checks.sentence(code, warns=warns)
