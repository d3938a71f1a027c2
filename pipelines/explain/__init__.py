"""Why a row, a verdict or a figure is what it is."""

from __future__ import annotations

from pipelines.explain.difference import explain_difference
from pipelines.explain.explanation import Explanation, explain_delivery, explain_person
from pipelines.explain.provenance import explain_number, list_numbers

__all__ = [
    "Explanation",
    "explain_delivery",
    "explain_difference",
    "explain_number",
    "explain_person",
    "list_numbers",
]
