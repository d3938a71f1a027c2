"""Inference for every contrast of the warehouse: rows in, rows out, no database.

Input: the rows of `int_experiments__contrasts`, of `int_experiments__nonzero_outcomes` and of
`int_experiments__covariate_moments` as Arrow tables. Output: one row per row of the first, with
library limits and the p-value of the whole contrast repeated over its allocation versions.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa

from pipelines.experiments import inference

Row = Mapping[str, Any]
CONTRAST = ("experiment_key", "read_at", "population", "stratum", "metric_key", "arm")

SCHEMA = pa.schema(
    [
        ("experiment_key", pa.string()),
        ("population", pa.string()),
        ("stratum", pa.string()),
        ("metric_key", pa.string()),
        ("arm", pa.string()),
        ("allocation_version", pa.int64()),
        ("newcombe_low", pa.float64()),
        ("newcombe_high", pa.float64()),
        ("welch_low", pa.float64()),
        ("welch_high", pa.float64()),
        ("fixed_p_value", pa.float64()),
        ("permutation_z", pa.float64()),
        ("p_method", pa.string()),
        ("covariate_theta", pa.float64()),
        ("variance_ratio", pa.float64()),
        ("adjusted_difference", pa.float64()),
        ("adjusted_low", pa.float64()),
        ("adjusted_high", pa.float64()),
        ("read_at", pa.timestamp("us")),
    ]
)


def infer(contrasts: pa.Table, outcomes: pa.Table, covariates: pa.Table) -> pa.Table:
    """Library limits per allocation version, and the p-value per contrast."""
    nonzero = _Nonzero(outcomes.to_pylist())
    paired = {
        (row["experiment_key"], row["metric_key"], row["arm"]): inference.Paired(
            row["count_units"], row["mean_y"], row["mean_x"],
            row["variance_y"] or 0.0, row["variance_x"] or 0.0, row["covariance"] or 0.0,
        )
        for row in covariates.to_pylist()
    }  # fmt: skip
    grouped: dict[tuple[Any, ...], list[Row]] = defaultdict(list)
    for row in contrasts.to_pylist():
        grouped[tuple(row[name] for name in CONTRAST)].append(row)

    def answers(key: tuple[Any, ...]) -> list[dict[str, Any]]:
        versions = sorted(grouped[key], key=lambda row: row["allocation_version"])
        adjusted = _adjust(versions, paired)
        return [{**row, **adjusted} for row in _infer_contrast(versions, nonzero)]

    # One after the other: the steps are so small that threads would wait for each other.
    rows = [row for key in sorted(grouped, key=str) for row in answers(key)]
    return pa.Table.from_pylist(rows, schema=SCHEMA)


def _infer_contrast(versions: list[Row], nonzero: _Nonzero) -> Iterable[dict[str, Any]]:
    usable = [row for row in versions if row["is_comparable"]]
    is_rate = versions[0]["aggregation"] == "any"
    alpha = versions[0]["alpha"]
    method: str | None = None
    fixed: float | None = None
    permutation_z: float | None = None
    if usable:
        if is_rate:
            method, fixed = _rate_test(usable)
        elif any(row["is_skewed"] for row in usable):
            method = "permutation"
            fixed = inference.permutation_p_value([nonzero.of(row) for row in usable])
            permutation_z = inference.two_sided_z(fixed)
        else:
            method = "welch"
            fixed = inference.mean_z_p_value([_arms(row) for row in usable], alpha)
    for row in versions:
        newcombe: tuple[float | None, float | None] = (None, None)
        welch: inference.Interval | None = None
        if row["is_comparable"] and is_rate:
            newcombe = inference.newcombe(
                row["sum_treatment"],
                row["count_treatment"],
                row["sum_control"],
                row["count_control"],
                alpha,
            )
        elif row["is_comparable"]:
            welch = inference.welch(*_arms(row), alpha=alpha)
        yield {
            **{name: row[name] for name in SCHEMA.names if name in row},
            "newcombe_low": newcombe[0],
            "newcombe_high": newcombe[1],
            "welch_low": welch.low if welch else None,
            "welch_high": welch.high if welch else None,
            "fixed_p_value": fixed,
            "permutation_z": permutation_z,
            "p_method": method,
        }


def _adjust(
    versions: list[Row], paired: Mapping[tuple[str, str, str], inference.Paired]
) -> dict[str, float]:
    """The current headline after CUPED, where there is a covariate and a single version."""
    [row, *more] = versions
    if more or not row["is_current"] or (row["population"], row["stratum"]) != ("itt", "all"):
        return {}
    arms = [
        paired.get((row["experiment_key"], row["metric_key"], row[arm]))
        for arm in ("arm", "control_arm")
    ]
    if arms[0] is None or arms[1] is None:
        return {}
    adjusted = inference.cuped(arms[0], arms[1], row["alpha"])
    if adjusted is None:
        return {}
    return {
        "covariate_theta": adjusted.theta,
        "variance_ratio": adjusted.variance_ratio,
        "adjusted_difference": adjusted.interval.estimate,
        "adjusted_low": adjusted.interval.low,
        "adjusted_high": adjusted.interval.high,
    }


def _rate_test(usable: list[Row]) -> tuple[str, float]:
    tables = [
        (
            round(row["sum_treatment"]),
            row["count_treatment"],
            round(row["sum_control"]),
            row["count_control"],
        )
        for row in usable
    ]
    if len(tables) == 1:
        return "rate", inference.rate_p_value(*tables[0])
    return "stratified rate", inference.pooled_z_p_value(tables)


def _arms(row: Row) -> tuple[inference.Arm, inference.Arm]:
    return (
        inference.Arm(row["count_treatment"], row["sum_treatment"], row["sum_yy_treatment"]),
        inference.Arm(row["count_control"], row["sum_control"], row["sum_yy_control"]),
    )


class _Nonzero:
    """Non-zero outcomes by contrast: everything that a permutation test has to shuffle."""

    def __init__(self, rows: list[dict[str, Any]]) -> None:
        self._rows: dict[tuple[Any, ...], list[dict[str, Any]]] = defaultdict(list)
        for row in rows:
            key = (
                row["experiment_key"], row["metric_key"], row["arm"], row["allocation_version"]
            )  # fmt: skip
            self._rows[key].append(row)

    def of(self, contrast: Row) -> inference.PermutationStratum:
        return inference.PermutationStratum(
            contrast["count_treatment"],
            contrast["count_control"],
            self._values(contrast, contrast["arm"]),
            self._values(contrast, contrast["control_arm"]),
        )

    def _values(self, contrast: Row, arm: str) -> inference.Floats:
        read_at: datetime = contrast["read_at"]
        rows = self._rows.get(
            (
                contrast["experiment_key"],
                contrast["metric_key"],
                arm,
                contrast["allocation_version"],
            ),
            [],
        )
        return np.array(
            [
                row["y"]
                for row in rows
                if row["window_ends_at"] <= read_at
                and (contrast["population"] == "itt" or row["is_ghost_reached"])
                and contrast["stratum"] in ("all", row["stratum"])
            ],
            dtype=np.float64,
        )
