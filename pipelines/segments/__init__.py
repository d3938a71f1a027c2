"""Versioned segments: list them, make a new one, lock them, compare two versions."""

from pipelines.segments.backtest import Backtest, backtest
from pipelines.segments.definitions import SegmentVersion, read_versions
from pipelines.segments.listing import list_segments
from pipelines.segments.lock import LockSummary, lock_segments
from pipelines.segments.scaffold import Scaffold, new_segment

__all__ = [
    "Backtest",
    "LockSummary",
    "Scaffold",
    "SegmentVersion",
    "backtest",
    "list_segments",
    "lock_segments",
    "new_segment",
    "read_versions",
]
