"""The statistics module against published numbers and against scipy and statsmodels."""

from __future__ import annotations

import ast
import csv
import gzip
from pathlib import Path
from typing import Any

import numpy as np
import oracles
import pytest
from scipy import stats

from pipelines.experiments import inference
from pipelines.experiments.inference import Arm, Floats, PermutationStratum

ALPHA = 0.05


def about(*values: float, tolerance: float = 1e-6) -> Any:
    return pytest.approx(list(values), abs=tolerance)


@pytest.fixture(scope="module")
def hillstrom(shared_data: Path) -> dict[str, dict[str, Floats]]:
    """visit, conversion, spend and history by arm, from the original table."""
    columns: dict[str, dict[str, list[float]]] = {}
    with gzip.open(shared_data / "hillstrom" / "hillstrom.csv.gz", "rt") as file:
        for row in csv.DictReader(file):
            arm = columns.setdefault(row["segment"], {})
            for name in ("visit", "conversion", "spend", "history"):
                arm.setdefault(name, []).append(float(row[name]))
    return {
        arm: {name: np.array(values) for name, values in parts.items()}
        for arm, parts in columns.items()
    }


def moments(values: Floats) -> Arm:
    return Arm(len(values), float(values.sum()), float((values * values).sum()))


def test_v16_welch_of_spend(hillstrom: dict[str, dict[str, Floats]]) -> None:
    none = moments(hillstrom["No E-Mail"]["spend"])
    mens = inference.welch(moments(hillstrom["Mens E-Mail"]["spend"]), none, ALPHA)
    womens = inference.welch(moments(hillstrom["Womens E-Mail"]["spend"]), none, ALPHA)
    assert mens is not None
    assert womens is not None
    assert [mens.estimate, mens.low, mens.high] == about(0.769827, 0.485140, 1.054515)
    assert mens.p_value == pytest.approx(1.164e-7, rel=1e-3)
    assert [womens.estimate, womens.low, womens.high] == about(0.424412, 0.168957, 0.679868)


def test_v16_newcombe_of_conversion() -> None:
    assert list(inference.newcombe(267, 21307, 122, 21306, ALPHA)) == about(
        0.0050143, 0.0086407, tolerance=5e-8
    )
    assert list(inference.newcombe(189, 21387, 122, 21306, ALPHA)) == about(
        0.0015017, 0.0047455, tolerance=5e-8
    )


def test_v16_spend_per_buyer(hillstrom: dict[str, dict[str, Floats]]) -> None:
    mens, none = hillstrom["Mens E-Mail"], hillstrom["No E-Mail"]
    interval = oracles.ratio_of_means(
        (mens["spend"], mens["conversion"]), (none["spend"], none["conversion"]), ALPHA
    )
    assert [interval.estimate, interval.low, interval.high] == about(
        -0.476, -23.067, 22.115, tolerance=5e-4
    )
    assert interval.p_value == pytest.approx(0.967, abs=5e-4)


def test_v17_cuped(hillstrom: dict[str, dict[str, Floats]]) -> None:
    mens, none = hillstrom["Mens E-Mail"], hillstrom["No E-Mail"]
    for metric, theta, limits in (
        ("visit", 9.134195e-5, (0.0764111, 0.0697895, 0.0830328)),
        ("spend", 0.00122290, (0.7674385, 0.4828129, 1.0520641)),
    ):
        adjusted = inference.cuped(paired(mens, metric), paired(none, metric), ALPHA)
        assert adjusted is not None
        assert adjusted.theta == pytest.approx(theta, rel=5e-6)
        shown = adjusted.interval
        assert [shown.estimate, shown.low, shown.high] == about(*limits, tolerance=1e-7)
        assert 0.99 < adjusted.variance_ratio < 1


def test_cuped_without_anything_to_adjust_by() -> None:
    same = inference.Paired(100, 0.5, 7.0, 0.25, 0.0, 0.0)
    assert inference.cuped(same, same, ALPHA) is None
    alone = inference.Paired(1, 0.5, 7.0, 0.0, 0.0, 0.0)
    assert inference.cuped(same, alone, ALPHA) is None


def paired(arm: dict[str, Floats], metric: str) -> inference.Paired:
    y, x = arm[metric], arm["history"]
    covariance = np.cov(y, x)
    return inference.Paired(
        len(y), y.mean(), x.mean(), covariance[0, 0], covariance[1, 1], covariance[0, 1]
    )


def test_v18_published_values() -> None:
    control, treatment = Arm(3407, 1396.87, 52377.9767), Arm(3461, 2422.7, 134698.29)
    absolute = inference.welch(treatment, control, ALPHA)
    relative = oracles.relative_delta(treatment, control, ALPHA)
    rates = oracles.relative_delta(Arm(30, 16, 16), Arm(28, 14, 14), ALPHA, is_rate=True)
    assert absolute is not None
    assert relative is not None
    assert rates is not None
    assert [absolute.estimate, absolute.low, absolute.high, absolute.p_value] == about(
        0.29, 0.04538, 0.53462, 0.02016, tolerance=5e-6
    )
    assert [relative.estimate, relative.low, relative.high, relative.p_value] == about(
        0.70732, -0.03526, 1.44989, 0.06191, tolerance=5e-6
    )
    assert [rates.estimate, rates.low, rates.high, rates.p_value] == about(
        0.06667, -0.47767, 0.61101, 0.80707, tolerance=5e-6
    )


def test_v19_sequence_p_of_hillstrom() -> None:
    difference = 189 / 21387 - 122 / 21306
    error = np.sqrt(
        189 / 21387 * (1 - 189 / 21387) / 21386 + 122 / 21306 * (1 - 122 / 21306) / 21305
    )
    fixed = 2 * float(stats.norm.sf(difference / error))
    assert oracles.sequence_p_value(fixed, 42693, 42693, 0.05) == pytest.approx(0.005221, abs=1e-6)


@pytest.mark.parametrize(
    ("x1", "n1", "x0", "n0"),
    [(56, 70, 48, 80), (9, 10, 3, 10), (5, 56, 0, 29), (810, 9000, 60, 1000), (1, 200, 36, 1800)],
)
def test_v20_newcombe_is_statsmodels(x1: int, n1: int, x0: int, n0: int) -> None:
    from statsmodels.stats.proportion import confint_proportions_2indep

    assert inference.newcombe(x1, n1, x0, n0, ALPHA) == pytest.approx(
        confint_proportions_2indep(x1, n1, x0, n0, method="newcomb"), abs=1e-12
    )


def test_v24_false_discovery_rate() -> None:
    p = [
        0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262,
        0.5719, 0.6528, 0.7590, 1.0,
    ]  # fmt: skip
    q = oracles.false_discovery_rate(p)
    assert sum(value <= 0.05 for value in q) == 4
    assert q[:5] == about(0.0015, 0.003, 0.0095, 0.0356, 0.0603, tolerance=5e-5)


def test_rates_are_exact_when_small_and_pooled_when_large() -> None:
    assert inference.rate_p_value(810, 9000, 60, 1000) == pytest.approx(0.0014063, abs=5e-8)
    assert stats.fisher_exact([[810, 8190], [60, 940]]).pvalue == pytest.approx(0.0011102, abs=5e-8)
    assert inference.rate_p_value(36, 1800, 1, 200) == pytest.approx(0.170694, abs=1e-6)


def test_chi_square_critical_values_are_scipys(critical_values: dict[float, list[float]]) -> None:
    assert 0.001 in critical_values
    for alpha, values in critical_values.items():
        assert values == pytest.approx(
            [stats.chi2.isf(alpha, df) for df in range(1, 20)], rel=1e-12
        ), alpha
    assert stats.chisquare([821588, 815482]).statistic == pytest.approx(22.7744, abs=5e-5)


@pytest.fixture
def critical_values() -> dict[float, list[float]]:
    """The critical values as the macro holds them."""
    from pipelines.settings import PROJECT_DIR

    text = (PROJECT_DIR / "macros" / "statistics" / "chi_square_critical.sql").read_text()
    tables: dict[float, list[float]] = ast.literal_eval(
        text[text.index("tables = ") + len("tables = ") : text.index("} -%}") + 1]
    )
    return tables


def test_permutation_of_the_nonzero_is_scipys_of_all_rows() -> None:
    generator = np.random.default_rng(11)
    treated = np.where(generator.random(400) < 0.2, generator.lognormal(3, 1, 400), 0.0)
    held = np.where(generator.random(100) < 0.1, generator.lognormal(3, 1, 100), 0.0)
    ours = inference.permutation_p_value(
        [PermutationStratum(400, 100, treated[treated > 0], held[held > 0])]
    )
    theirs = stats.permutation_test(
        (treated, held),
        lambda x, y, axis: x.mean(axis=axis) - y.mean(axis=axis),
        vectorized=True,
        n_resamples=9_999,
        rng=np.random.default_rng(3),
    ).pvalue
    assert ours == pytest.approx(theirs, abs=0.02)
    swapped = inference.permutation_p_value(
        [PermutationStratum(400, 100, treated[treated > 0][::-1], held[held > 0][::-1])]
    )
    assert swapped == ours


def test_permutation_holds_its_size_where_welch_does_not() -> None:
    generator = np.random.default_rng(5)
    flagged = 0
    for trial in range(200):
        spend = np.where(generator.random(2000) < 0.03, generator.lognormal(4, 1.2, 2000), 0.0)
        treated, held = spend[:1800], spend[1800:]
        p_value = inference.permutation_p_value(
            [PermutationStratum(1800, 200, treated[treated > 0], held[held > 0])], seed=trial
        )
        flagged += p_value < 0.05
    assert flagged <= 22  # 99.9 % band of a true 5 %
