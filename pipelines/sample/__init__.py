"""The sample brand: a generator whose truth is known."""

from __future__ import annotations

from pipelines.sample.brand import (
    DEFAULT_EFFECT,
    DEFAULT_PEOPLE,
    DEFAULT_SEED,
    SAMPLE_AS_OF,
    SAMPLE_START,
)
from pipelines.sample.writer import SampleSummary, write_sample

__all__ = [
    "DEFAULT_EFFECT",
    "DEFAULT_PEOPLE",
    "DEFAULT_SEED",
    "SAMPLE_AS_OF",
    "SAMPLE_START",
    "SampleSummary",
    "write_sample",
]
