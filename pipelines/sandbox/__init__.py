"""The local Heap that tests and newcomers publish to."""

from __future__ import annotations

from pipelines.sandbox.server import Sandbox, SandboxLimits, running_sandbox, serve_sandbox

__all__ = ["Sandbox", "SandboxLimits", "running_sandbox", "serve_sandbox"]
