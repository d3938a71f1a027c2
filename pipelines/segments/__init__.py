"""Versioned segments: list them, make a new one, lock them, compare two versions."""

from pipelines.segments.definitions import SegmentVersion, read_versions
from pipelines.segments.lock import LockSummary, lock_segments

__all__ = ["LockSummary", "SegmentVersion", "lock_segments", "read_versions"]
