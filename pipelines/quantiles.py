"""Quantiles of the normal distribution, for statements that stand alone."""

from __future__ import annotations

from statistics import NormalDist


def normal_quantile(probability: float) -> float:
    """The z below which that share of the standard normal distribution lies."""
    return NormalDist().inv_cdf(probability)
