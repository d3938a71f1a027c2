"""False positives, power and peeking of the shown intervals, each with its band.

A/A splits of the Hillstrom "No E-Mail" arm by the warehouse's own hash (ids h_00001… by file row,
salts aa_0000…) where the data is there, else of people drawn with the same rate and a like skew.
Exits 1 when a figure leaves its band. `COUNTERFOIL_PROVE=1` doubles the salts.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy import stats

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "python"))

from oracles import sequence_p_value

from pipelines.experiments import inference
from pipelines.experiments.inference import Arm, Floats, PermutationStratum
from pipelines.settings import PROJECT_DIR

PROVE = os.environ.get("COUNTERFOIL_PROVE") == "1"
ALPHA = 0.05
SRM_CRITICAL = float(stats.chi2.isf(0.001, 1))


@dataclass(frozen=True)
class Figure:
    """A measured share and the band it has to stand in (None: shown for contrast)."""

    name: str
    share: float
    low: float | None = None
    high: float | None = None

    @property
    def holds(self) -> bool:
        return self.low is None or self.high is None or self.low <= self.share <= self.high


def main() -> int:
    started = time.perf_counter()
    figures = [*false_positives(2_000 if PROVE else 1_000), *power(1_000), *peeking(1_000)]
    for figure in figures:
        band = (
            f"band {figure.low:.1%} to {figure.high:.1%}"
            if figure.low is not None and figure.high is not None
            else "for contrast"
        )
        print(f"{'ok  ' if figure.holds else 'FAIL'} {figure.name}: {figure.share:.1%} ({band})")
    print(f"{time.perf_counter() - started:.0f} seconds")
    return 0 if all(figure.holds for figure in figures) else 1


def false_positives(salts: int) -> list[Figure]:
    """V26: a true null, split 90/10 by hash, read once."""
    names, spend = _spend_without_mail()
    bought = spend > 0
    newcombe = welch = permutation = up = srm = 0
    for number in range(salts):
        held = np.array([_bucket(f"aa_{number:04d}", name) < 1000 for name in names])
        count_1, count_0 = int((~held).sum()), int(held.sum())
        low, high = inference.newcombe(
            int(bought[~held].sum()), count_1, int(bought[held].sum()), count_0, ALPHA
        )
        newcombe += low > 0 or high < 0
        interval = inference.welch(_moments(spend[~held]), _moments(spend[held]), ALPHA)
        if interval is not None and interval.p_value < ALPHA:
            welch += 1
            up += interval.estimate > 0
        permutation += (
            inference.permutation_p_value(
                [PermutationStratum(count_1, count_0, spend[~held & bought], spend[held & bought])],
                seed=number,
            )
            < ALPHA
        )
        expected = 0.1 * len(names)
        srm += (count_0 - expected) ** 2 / expected + (count_0 - expected) ** 2 / (
            0.9 * len(names)
        ) > SRM_CRITICAL
    band = (0.027, 0.067) if salts >= 2_000 else (0.021, 0.074)
    return [
        Figure("A/A 90/10, orders, Newcombe", newcombe / salts, *band),
        Figure("A/A 90/10, spend, permutation", permutation / salts, 0.021, 0.080),
        Figure("A/A 90/10, spend, Welch (withheld by the skew gate)", welch / salts),
        Figure("A/A 90/10, spend, Welch, treatment wins", up / salts),
        Figure("A/A 90/10, sample ratio flagged", srm / salts, 0.0, 0.005),
    ]


def power(simulations: int) -> list[Figure]:
    """V27: 9,000 against 1,000, 5 % to 7.5 %."""
    generator = np.random.default_rng(27)
    treated = generator.binomial(9_000, 0.075, simulations)
    held = generator.binomial(1_000, 0.05, simulations)
    detected = sum(
        inference.newcombe(int(x1), 9_000, int(x0), 1_000, ALPHA)[0] > 0
        for x1, x0 in zip(treated, held, strict=True)
    )
    return [Figure("power at 5 % to 7.5 %, Newcombe", detected / simulations, 0.823, 0.895)]


def peeking(streams: int) -> list[Figure]:
    """V28: a true null read in each of twelve weeks, 500 new people an arm and week."""
    generator = np.random.default_rng(28)
    x1 = generator.binomial(500, 0.05, (streams, 12)).cumsum(axis=1)
    x0 = generator.binomial(500, 0.05, (streams, 12)).cumsum(axis=1)
    fixed = running = 0
    for stream in range(streams):
        flagged_fixed = flagged_running = False
        for week in range(12):
            count, a, b = 500 * (week + 1), int(x1[stream, week]), int(x0[stream, week])
            low, high = inference.newcombe(a, count, b, count, ALPHA)
            flagged_fixed |= low > 0 or high < 0
            p_value = _unpooled_p_value(a, b, count)
            flagged_running |= sequence_p_value(p_value, 2 * count, 12_000, ALPHA) < ALPHA
        fixed += flagged_fixed
        running += flagged_running
    return [
        Figure("12 weekly looks, fixed interval", fixed / streams, 0.16, 0.26),
        Figure("12 weekly looks, the interval shown", running / streams, 0.0, 0.05),
    ]


def _unpooled_p_value(a: int, b: int, count: int) -> float:
    """Two-sided p with the unpooled error, as the confidence sequence has it."""
    error = np.sqrt((a * (count - a) + b * (count - b)) / count**3)
    return 1.0 if error == 0 else 2 * float(stats.norm.sf(abs(a - b) / count / error))


def _spend_without_mail() -> tuple[list[str], Floats]:
    """Ids by file row and spend of the people who got no e-mail."""
    folder = Path(os.environ.get("COUNTERFOIL_SHARED_DATA", PROJECT_DIR.parent / "shared" / "data"))
    path = folder / "hillstrom" / "hillstrom.csv.gz"
    if path.is_file():
        with gzip.open(path, "rt") as file:
            rows = [
                (f"h_{number:05d}", float(row["spend"]))
                for number, row in enumerate(csv.DictReader(file), start=1)
                if row["segment"] == "No E-Mail"
            ]
        return [name for name, _ in rows], np.array([spend for _, spend in rows])
    generator = np.random.default_rng(26)
    drawn: Floats = np.zeros(21_306)
    drawn[generator.choice(len(drawn), 122, replace=False)] = generator.lognormal(4.4, 0.8, 122)
    return [f"h_{row:05d}" for row in range(1, len(drawn) + 1)], drawn


def _bucket(salt: str, key: str) -> int:
    return int(hashlib.md5(f"{salt}-{key}".encode()).hexdigest()[:8], 16) % 10_000


def _moments(values: Floats) -> Arm:
    return Arm(len(values), float(values.sum()), float((values * values).sum()))


if __name__ == "__main__":
    sys.exit(main())
