"""Webhooks received: signatures judged, bodies on disk before an answer, files for `load`."""

from __future__ import annotations

from pipelines.receiver.serve import running_receiver, serve_webhooks
from pipelines.receiver.spool import Spool

__all__ = ["Spool", "running_receiver", "serve_webhooks"]
