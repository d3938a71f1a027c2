"""Statistics that nothing of the product reads: what its SQL and its answers are held against.

Source: `scipy` and `tea-tasting`; `test_experiments_inference.py` holds them to published numbers.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import tea_tasting as tt
from scipy import stats
from tea_tasting.aggr import Aggregates

from pipelines.experiments.inference import Arm, Floats, Interval, two_sided_z


def relative_delta(
    treatment: Arm, control: Arm, alpha: float, *, is_rate: bool = False
) -> Interval | None:
    """Relative difference of two means with a delta-method interval (t, Welch's freedom).

    The decision is made on the absolute difference; this one is for comparison with tools that
    decide on the relative one. Rates have the variance p(1 - p), means n - 1.
    """
    if min(treatment.count, control.count) < 2 or control.mean == 0:
        return None
    variance_1, variance_0 = (
        arm.mean * (1 - arm.mean) if is_rate else arm.variance for arm in (treatment, control)
    )
    share_1 = variance_1 / treatment.count
    share_0 = variance_0 / control.count
    error = math.sqrt(share_1 / control.mean**2 + share_0 * treatment.mean**2 / control.mean**4)
    freedom = (share_1 + share_0) ** 2 / (
        share_1**2 / (treatment.count - 1) + share_0**2 / (control.count - 1)
    )
    estimate = treatment.mean / control.mean - 1
    reach = float(stats.t.ppf(1 - alpha / 2, freedom)) * error
    p_value = 2 * float(stats.t.sf(abs(estimate) / error, freedom))
    return Interval(estimate, estimate - reach, estimate + reach, p_value)


def sequence_p_value(p_value: float, units: int, tuning_n: int, alpha: float) -> float:
    """The p of a confidence sequence outside the warehouse, where the SQL macro gives it."""
    if units <= 0 or tuning_n <= 0:
        return 1.0
    rho_squared = (-2 * math.log(alpha) + math.log(-2 * math.log(alpha) + 1)) / tuning_n
    z = two_sided_z(p_value)
    scale = units * rho_squared
    return min(1.0, math.sqrt(scale + 1) * math.exp(-scale * z * z / (2 * (scale + 1))))


def ratio_of_means(
    treatment: tuple[Floats, Floats], control: tuple[Floats, Floats], alpha: float
) -> Interval:
    """Difference of two ratios such as spend per buyer, each arm (numerator, denominator) by unit.

    Units are people, so the variance of the denominator counts too (delta method).
    """
    result = tt.RatioOfMeans("y", "x", confidence_level=1 - alpha).analyze(
        {0: _paired(*control), 1: _paired(*treatment)}, 0, 1
    )
    return Interval(
        result.effect_size, result.effect_size_ci_lower, result.effect_size_ci_upper, result.pvalue
    )


def false_discovery_rate(p_values: Sequence[float]) -> list[float]:
    """Benjamini and Hochberg's q of each p: what the SQL of the lift table is checked against."""
    return [float(q) for q in stats.false_discovery_control(list(p_values), method="bh")]


def _paired(numerator: Floats, denominator: Floats) -> Aggregates:
    covariance = np.cov(numerator, denominator)
    return Aggregates(
        count_=len(numerator),
        mean_={"y": float(numerator.mean()), "x": float(denominator.mean())},
        var_={"y": float(covariance[0, 0]), "x": float(covariance[1, 1])},
        cov_={("x", "y"): float(covariance[0, 1])},
    )
