"""The local Heap that tests and newcomers publish to."""

from __future__ import annotations

from pipelines.sandbox.server import Sandbox, running_sandbox, serve_sandbox
from pipelines.sandbox.state import Fault, SandboxLimits

__all__ = ["Fault", "Sandbox", "SandboxLimits", "running_sandbox", "serve_sandbox"]
