"""A short message after a run, to whatever channel `COUNTERFOIL_NOTIFY` names."""

from __future__ import annotations

from pipelines.notices.notifying import notifying

__all__ = ["notifying"]
