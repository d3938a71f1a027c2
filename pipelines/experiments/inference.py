"""Tests and intervals that need a distribution function, from sufficient statistics.

The warehouse computes moments, health and the rate intervals in SQL. This module adds what SQL
has no functions for: exact and pooled tests of rates, Welch intervals of means, permutation tests
of skewed money. Libraries do the work (`scipy`, `tea-tasting`); this is the one place that calls
them, and `tests/python/experiments/test_experiments_inference.py` holds it to published numbers.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt
import tea_tasting as tt
from scipy import stats
from tea_tasting.aggr import Aggregates
from tea_tasting.metrics.mean import MeanResult

Floats = npt.NDArray[np.float64]

SEED = 20240229

# How a p is computed, not what it is held against: draws of the permutation test and when the first
# of them are enough, and below which sizes a rate is tested exactly (Cochran's rule for expected
# counts). What judges a result (alpha, the factor of skew) comes with the rows.
RESAMPLES = 9_999
FIRST_RESAMPLES = 999
CLEARLY_NULL = 0.2
MANY_NONZERO = 5_000
EXACT_BELOW_UNITS = 1_000
EXACT_BELOW_EXPECTED = 5.0


@dataclass(frozen=True)
class Arm:
    """Sufficient statistics of one arm: units, sum of y, sum of squares of y."""

    count: int
    total: float
    total_of_squares: float

    @property
    def mean(self) -> float:
        """Mean of y; not a number without units."""
        return self.total / self.count if self.count else math.nan

    @property
    def variance(self) -> float:
        """Sample variance of y, n - 1."""
        if self.count < 2:
            return math.nan
        spread = self.total_of_squares - self.total * self.total / self.count
        return max(0.0, spread) / (self.count - 1)


@dataclass(frozen=True)
class Interval:
    """An estimate with its limits and its two-sided p-value."""

    estimate: float
    low: float
    high: float
    p_value: float


def welch(treatment: Arm, control: Arm, alpha: float) -> Interval | None:
    """Welch's interval of the difference of two means; None where a variance is missing."""
    result = _welch(treatment, control, alpha)
    if result is None:
        return None
    return Interval(
        treatment.mean - control.mean,
        result.effect_size_ci_lower,
        result.effect_size_ci_upper,
        result.pvalue,
    )


def rate_p_value(successes_1: int, count_1: int, successes_0: int, count_0: int) -> float:
    """Two-sided p of a difference of two rates: Fisher when small, else the pooled z."""
    count = count_1 + count_0
    successes = successes_1 + successes_0
    if not min(count_1, count_0) or successes in (0, count):
        return 1.0
    smallest = min(count_1, count_0) * min(successes, count - successes) / count
    if count < EXACT_BELOW_UNITS or smallest < EXACT_BELOW_EXPECTED:
        table = [
            [successes_1, count_1 - successes_1],
            [successes_0, count_0 - successes_0],
        ]
        return float(stats.fisher_exact(table).pvalue)
    return pooled_z_p_value([(successes_1, count_1, successes_0, count_0)])


def pooled_z_p_value(strata: Sequence[tuple[int, int, int, int]]) -> float:
    """Two-sided p of the post-stratified difference of rates; one stratum is the pooled z test."""
    total = sum(count_1 + count_0 for _, count_1, _, count_0 in strata)
    difference = variance = 0.0
    for successes_1, count_1, successes_0, count_0 in strata:
        weight = (count_1 + count_0) / total
        pooled = (successes_1 + successes_0) / (count_1 + count_0)
        difference += weight * (successes_1 / count_1 - successes_0 / count_0)
        variance += weight**2 * pooled * (1 - pooled) * (1 / count_1 + 1 / count_0)
    return _two_sided(difference, variance)


def mean_z_p_value(strata: Sequence[tuple[Arm, Arm]], alpha: float) -> float:
    """Two-sided p of the post-stratified difference of means; one stratum is Welch's test."""
    if len(strata) == 1:
        result = _welch(*strata[0], alpha)
        return result.pvalue if result else 1.0
    total = sum(treatment.count + control.count for treatment, control in strata)
    difference = variance = 0.0
    for treatment, control in strata:
        weight = (treatment.count + control.count) / total
        difference += weight * (treatment.mean - control.mean)
        variance += weight**2 * (
            treatment.variance / treatment.count + control.variance / control.count
        )
    return _two_sided(difference, variance)


@dataclass(frozen=True)
class PermutationStratum:
    """Both arms of one stratum for a permutation test; units without a row have y = 0."""

    count_treatment: int
    count_control: int
    nonzero_treatment: Floats
    nonzero_control: Floats

    @property
    def is_control_drawn(self) -> bool:
        """Whether the control is the smaller arm; of two equal ones the one of smaller values."""
        return (self.count_control, *np.sort(self.nonzero_control)) < (
            self.count_treatment,
            *np.sort(self.nonzero_treatment),
        )


def permutation_p_value(strata: Sequence[PermutationStratum], seed: int = SEED) -> float:
    """Two-sided permutation p of the post-stratified difference of means.

    Relabels units within their stratum. Only the non-zero values are drawn, one after the other, so
    the cost does not grow with the people who bought nothing. `scipy.stats.permutation_test` on the
    full rows gives the same distribution; a test compares the two.

    The first 999 draws tell a clear null (p over 0.2, with a standard error of 0.03 at most): the
    other 9,000 are spent where they decide something (sequential Monte Carlo after Besag and
    Clifford 1991; stopping on a large p cannot make a small one more frequent). The smaller arm is
    the one that is drawn, so exchanging the arms gives the same p to the last digit.
    """
    strata = [part for part in strata if part.count_treatment and part.count_control]
    total = sum(part.count_treatment + part.count_control for part in strata)
    many = sum(len(part.nonzero_treatment) + len(part.nonzero_control) for part in strata)
    if not many:
        return 1.0
    generator = np.random.Generator(np.random.PCG64(seed))
    # Sorted: the answer may not depend on the order in which rows arrive.
    observed = sum(
        (part.count_treatment + part.count_control)
        / total
        * (
            float(np.sort(part.nonzero_treatment).sum()) / part.count_treatment
            - float(np.sort(part.nonzero_control).sum()) / part.count_control
        )
        for part in strata
    )
    drawn = _drawn_differences(generator, strata, FIRST_RESAMPLES)
    p_value = _two_sided_share(drawn, observed)
    if p_value > CLEARLY_NULL or many > MANY_NONZERO:
        return p_value
    more = _drawn_differences(generator, strata, RESAMPLES - FIRST_RESAMPLES)
    return _two_sided_share(np.concatenate([drawn, more]), observed)


def two_sided_z(p_value: float) -> float:
    """The z of which a normal test would give this p.

    It takes the place of the normal statistic in the confidence sequence: under skew the p comes
    from the permutation test, and may so be looked at weekly.
    """
    return float(stats.norm.isf(min(1.0, p_value) / 2))


def wilson(successes: float, trials: int, alpha: float) -> tuple[float, float]:
    """Wilson limits of a rate."""
    z = float(stats.norm.isf(alpha / 2))
    centre = successes + z * z / 2
    reach = z * math.sqrt(successes * (trials - successes) / trials + z * z / 4)
    return (
        max(0.0, (centre - reach) / (trials + z * z)),
        min(1.0, (centre + reach) / (trials + z * z)),
    )


def newcombe(
    successes_1: float, count_1: int, successes_0: float, count_0: int, alpha: float
) -> tuple[float, float]:
    """Newcombe limits of a difference of rates: what the SQL macro is checked against."""
    rate_1, rate_0 = successes_1 / count_1, successes_0 / count_0
    low_1, high_1 = wilson(successes_1, count_1, alpha)
    low_0, high_0 = wilson(successes_0, count_0, alpha)
    difference = rate_1 - rate_0
    return (
        difference - math.hypot(rate_1 - low_1, high_0 - rate_0),
        difference + math.hypot(high_1 - rate_1, rate_0 - low_0),
    )


@dataclass(frozen=True)
class Paired:
    """Moments of one arm: outcome y and a covariate x known before the assignment (n - 1)."""

    count: int
    mean_y: float
    mean_x: float
    variance_y: float
    variance_x: float
    covariance: float

    @property
    def aggregates(self) -> Aggregates:
        """As the library takes them."""
        return Aggregates(
            count_=self.count,
            mean_={"y": self.mean_y, "x": self.mean_x},
            var_={"y": self.variance_y, "x": self.variance_x},
            cov_={("x", "y"): self.covariance},
        )


@dataclass(frozen=True)
class Adjusted:
    """A difference after CUPED: one theta for both arms, and what it left of the variance."""

    theta: float
    variance_ratio: float
    interval: Interval


def cuped(treatment: Paired, control: Paired, alpha: float) -> Adjusted | None:
    """CUPED by the library, with Welch's limits; None where either y or x does not vary.

    Off unless asked for: on real e-mail tests it takes less than half a percent off the variance.
    """
    if min(treatment.count, control.count) < 2:
        return None
    if min(arm.variance_y for arm in (treatment, control)) <= 0:
        return None
    pooled = treatment.aggregates + control.aggregates
    if pooled.var("x") <= 0:
        return None
    theta = float(pooled.cov("x", "y") / pooled.var("x"))
    result = tt.Mean(
        "y", covariate="x", confidence_level=1 - alpha, use_t=True, equal_var=False
    ).analyze({0: control.aggregates, 1: treatment.aggregates}, 0, 1)
    before = after = 0.0
    for arm in (treatment, control):
        before += arm.variance_y / arm.count
        after += (
            arm.variance_y - 2 * theta * arm.covariance + theta * theta * arm.variance_x
        ) / arm.count
    return Adjusted(
        theta,
        after / before,
        Interval(
            result.effect_size,
            result.effect_size_ci_lower,
            result.effect_size_ci_upper,
            result.pvalue,
        ),
    )


@cache
def _welch(treatment: Arm, control: Arm, alpha: float) -> MeanResult | None:
    """The library's answer, asked once for the p and the limits of a contrast."""
    if min(treatment.count, control.count) < 2 or treatment.variance + control.variance <= 0:
        return None
    return tt.Mean("y", use_t=True, equal_var=False, confidence_level=1 - alpha).analyze(
        {0: _aggregates(control), 1: _aggregates(treatment)}, 0, 1
    )


def _aggregates(arm: Arm) -> Aggregates:
    return Aggregates(count_=arm.count, mean_={"y": arm.mean}, var_={"y": arm.variance}, cov_={})


def _two_sided(difference: float, variance: float) -> float:
    if variance <= 0:
        return 1.0
    return 2 * float(stats.norm.sf(abs(difference) / math.sqrt(variance)))


def _two_sided_share(drawn: Floats, observed: float) -> float:
    """Twice the smaller tail of the drawn differences, the observed one counted among them."""
    slack = 1e-9 * max(1.0, abs(observed))
    above = int((drawn >= observed - slack).sum())
    below = int((drawn <= observed + slack).sum())
    return min(1.0, 2 * (min(above, below) + 1) / (len(drawn) + 1))


def _drawn_differences(
    generator: np.random.Generator, strata: Sequence[PermutationStratum], resamples: int
) -> Floats:
    """Post-stratified differences of means under relabelling, one a resample."""
    total = sum(part.count_treatment + part.count_control for part in strata)
    drawn: Floats = np.zeros(resamples)
    for part in strata:
        weight = (part.count_treatment + part.count_control) / total
        values = np.sort(np.concatenate([part.nonzero_treatment, part.nonzero_control]))
        sums = _sums_of_drawn(generator, values, part, resamples)
        rest = float(values.sum()) - sums
        treated, held_out = (rest, sums) if part.is_control_drawn else (sums, rest)
        drawn += weight * (treated / part.count_treatment - held_out / part.count_control)
    return drawn


def _sums_of_drawn(
    generator: np.random.Generator, values: Floats, part: PermutationStratum, resamples: int
) -> Floats:
    """Sums of the values that fall to the smaller arm, one a resample.

    One value after the other goes to that arm with the share of places that are left in it.
    """
    units = part.count_treatment + part.count_control
    places = np.full(resamples, float(min(part.count_treatment, part.count_control)))
    sums: Floats = np.zeros(resamples)
    share: Floats = np.empty(resamples)
    is_drawn = np.empty(resamples, dtype=np.bool_)
    for before, value in enumerate(values):
        generator.random(out=share)
        share *= units - before
        np.less(share, places, out=is_drawn)
        np.copyto(share, is_drawn)  # 1 or 0: the memory is used again
        places -= share
        share *= value
        sums += share
    return sums
