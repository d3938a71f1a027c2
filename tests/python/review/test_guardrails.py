"""What page and checklist say of a check is what the registry says."""

from __future__ import annotations

from pipelines.built.tables import Record
from pipelines.review.guardrails import Guardrails

RULES: list[Record] = [
    {"code": "few_events", "severity": "warn", "measure": "few_events", "unit": "number",
     "threshold": 20.0, "label": "Events", "sentence": "fewer than {threshold} conversions"},
    {"code": "crossover_rate", "severity": "invalid", "measure": "hard", "unit": "share",
     "threshold": 0.05, "label": "Crossovers", "sentence": "too many people"},
    {"code": "crossover_rate", "severity": "warn", "measure": "all", "unit": "share",
     "threshold": 0.005, "label": "Crossovers", "sentence": "more than {threshold} of people"},
    {"code": "srm", "severity": "invalid", "measure": "srm", "unit": "number",
     "threshold": None, "label": "Sample ratio", "sentence": "the arms have other sizes"},
]  # fmt: skip


def test_a_sentence_has_the_limit_that_was_built() -> None:
    said = Guardrails(RULES)
    assert said.sentence("few_events") == "fewer than twenty conversions"
    assert said.sentence("crossover_rate") == "too many people"
    assert said.sentence("crossover_rate", warns=True) == "more than 0.5% of people"
    assert said.sentence("srm", warns=True) == "the arms have other sizes"


def test_a_value_is_said_in_the_unit_of_its_rule() -> None:
    said = Guardrails(RULES)
    assert said.amount("crossover_rate", 0.0123) == "1.23%"
    assert said.amount("srm", 10.827) == "10.83"
    assert said.amount("few_events", 1200.0) == "1,200"
    assert said.amount("srm", None) == "\N{EN DASH}"


def test_a_code_that_nobody_registered_is_shown_as_it_is() -> None:
    said = Guardrails(RULES)
    assert (said.label("new_check"), said.sentence("new_check")) == ("New check", "new_check")
