"""Publishing to Heap: a plan, then exactly that plan or nothing.

`plan` reads the Heap marts and the ledger and writes one file; `publish` sends it byte for byte;
the ledger records what Heap acknowledged.
"""

from __future__ import annotations

from pipelines.heap.deadletters import list_dead_letters, retry_dead_letters
from pipelines.heap.limits import UNLIMITED, Clock, Limits
from pipelines.heap.outcome import PublishSummary
from pipelines.heap.plan import Plan
from pipelines.heap.planning import make_plan
from pipelines.heap.publish import publish
from pipelines.heap.summary import markdown, summary_lines

__all__ = [
    "UNLIMITED",
    "Clock",
    "Limits",
    "Plan",
    "PublishSummary",
    "list_dead_letters",
    "make_plan",
    "markdown",
    "publish",
    "retry_dead_letters",
    "summary_lines",
]
