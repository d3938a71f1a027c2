"""The checks of experiments in words, as seeds/guardrails.csv has them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pipelines.built.tables import Record, Tables
from pipelines.review.words import ABSENT, clean, number, plain, share, spelled

RULES = "int_experiments__guardrail_rules"


@dataclass(frozen=True)
class Guardrails:
    """The rules as built: a code that none of them names is shown as it is.

    Attributes:
        rules: one row per code and severity, the limits that are vars filled in.
    """

    rules: Sequence[Record] = ()

    def label(self, code: str) -> str:
        """The short name of a check."""
        return next((str(rule["label"]) for rule in self._of(code)), plain(code))

    def sentence(self, code: str, *, warns: bool = False) -> str:
        """What is said when a check is hit; `warns` where it is known not to stop the row."""
        rules = sorted(self._of(code), key=lambda rule: rule["severity"] != "invalid")
        if not rules:
            return clean(code)
        rule = rules[-1 if warns else 0]
        limit = rule["threshold"]
        if limit is None:
            return str(rule["sentence"])
        said = f"{100 * limit:g}%" if rule["unit"] == "share" else spelled(limit)
        return str(rule["sentence"]).replace("{threshold}", said)

    def amount(self, code: str, value: Any) -> str:
        """What a check compares, or its limit: a share, a statistic or a count."""
        if value is None:
            return ABSENT
        if any(rule["unit"] == "share" for rule in self._of(code) if rule["measure"]):
            return share(value, 2)
        return number(value)

    def _of(self, code: str) -> list[Record]:
        return [rule for rule in self.rules if rule["code"] == code]


def read_guardrails(tables: Tables) -> Guardrails:
    """The rules of the warehouse that is open; none where it has none."""
    return Guardrails(
        tables.rows(f"select * from {{{RULES}}} order by code, severity", reads=[RULES])
    )
