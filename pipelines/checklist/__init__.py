"""The implementation checklist and the validation of one journey: each line measured."""

from __future__ import annotations

from pipelines.checklist.lines import Checklist, Line
from pipelines.checklist.measure import measure

__all__ = ["Checklist", "Line", "measure"]
