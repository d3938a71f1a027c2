"""The textbook sample ratio of V4 at its full size, from load to `fct_lift`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from experiment_cases import DRAW, Cases
from experiment_home import Built
from exports import SHAPES, at
from scipy import stats

pytestmark = pytest.mark.prove

TREATED, HELD = 821_588, 815_482


def test_v04_an_uneven_half_of_1_6_million_is_invalid(tmp_path: Path) -> None:
    made = Cases()
    workspace = made.new("v04_halves", weights=(0.5, 0.5)).workspace
    built = Built(made, tmp_path, more=lambda export: _write(export, workspace))
    srm = built.health("v04_halves", "srm")
    assert srm["value"] == pytest.approx(22.7744, abs=5e-5)
    assert stats.chi2.sf(srm["value"], 1) == pytest.approx(1.82e-6, abs=5e-9)
    assert srm["verdict"] == "invalid"
    row = built.lift("v04_halves")
    assert (row["count_treatment"], row["count_control"]) == (TREATED, HELD)
    assert (row["status"], row["lift"]) == ("invalid", None)
    assert "srm" in row["reasons"].split("||")


def _write(export: Path, workspace: int) -> None:
    """An entry and a draw each, in any order."""
    number = np.random.default_rng(4).permutation(TREATED + HELD)
    people = [f"{workspace}p{n:07d}" for n in number]
    subjects = [f"{workspace}-101-{name}-1" for name in people]
    when = [at(0.0)] * len(people)
    for family, columns in (
        (
            "subjects",
            {
                "subject_name": subjects,
                "internal_customer_id": people,
                "campaign_type": ["event"] * len(people),
                "campaign_id": [101] * len(people),
                "started_campaign_at": when,
            },
        ),
        (
            "outputs",
            {
                "output_id": [f"o-{subject}" for subject in subjects],
                "subject_name": subjects,
                "output_type": ["branch"] * len(people),
                "action_id": [DRAW] * len(people),
                "branch_index": (number >= TREATED).astype(np.int64),
            },
        ),
    ):
        columns |= {
            "workspace_id": [workspace] * len(people),
            "created_at": when,
            "seq_num": number + 9_000_000_000,
        }
        pq.write_table(
            pa.table(
                {name: pa.array(values, SHAPES[family][name]) for name, values in columns.items()}
            ),
            export / f"{family}_v5_{workspace}_241600000000300000.parquet",
        )
