"""Publishing to Heap: a plan, then exactly that plan or nothing.

`plan` reads the Heap marts and the ledger and writes one file; `publish` sends it byte for byte;
the ledger records what Heap acknowledged. `sandbox` is the local Heap that tests and newcomers
publish to.
"""

from __future__ import annotations

from pipelines.heap.deadletters import list_dead_letters, retry_dead_letters
from pipelines.heap.explain import Explanation, explain_delivery, explain_person
from pipelines.heap.limits import UNLIMITED, Clock, Limits
from pipelines.heap.plan import Plan, make_plan
from pipelines.heap.publish import PublishSummary, publish
from pipelines.heap.sandbox import Sandbox, SandboxLimits, running_sandbox, serve_sandbox
from pipelines.heap.summary import markdown, summary_lines

__all__ = [
    "UNLIMITED",
    "Clock",
    "Explanation",
    "Limits",
    "Plan",
    "PublishSummary",
    "Sandbox",
    "SandboxLimits",
    "explain_delivery",
    "explain_person",
    "list_dead_letters",
    "make_plan",
    "markdown",
    "publish",
    "retry_dead_letters",
    "running_sandbox",
    "serve_sandbox",
    "summary_lines",
]
