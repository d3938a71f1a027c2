"""Does a message work, by when it came and what was known before it: proved on worlds made by hand.

Every world is drawn from its seed, so each answer below is the same on every machine; `make prove`
reads 500 of each kind.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from statistics import mean
from typing import Any

import pytest
import timing_worlds
from timing_worlds import Effects, planted

Row = dict[str, Any]

AT_ONCE = 50
FEW, MANY = 25, 500
WORKS = Effects(early=0.15, late=0.06)
NOTHING = Effects()


def read(statements: Mapping[str, str], count: int, effects: Effects) -> list[Row]:
    """The mart of so many worlds."""
    return [
        row
        for first in range(1, count + 1, AT_ONCE)
        for row in timing_worlds.read(
            statements, range(first, min(first + AT_ONCE, count + 1)), effects
        )
    ]


@pytest.fixture(scope="module")
def quiet(statements: Mapping[str, str]) -> list[Row]:
    """Worlds in which no message does anything."""
    return read(statements, FEW, NOTHING)


@pytest.fixture(scope="module")
def moved(statements: Mapping[str, str]) -> list[Row]:
    """Worlds in which the early text moves more people than the late one, and the mail nobody."""
    return read(statements, FEW, WORKS)


def texts(rows: Sequence[Row], arm: str, state: str = "seen") -> list[Row]:
    """The text of an arm to people in a state, where it may be told."""
    return [
        row
        for row in rows
        if (row["arm"], row["message_id"], row["state"]) == (arm, "action:text", state)
        and row["difference"] is not None
    ]


def claiming(rows: Sequence[Row]) -> set[str]:
    """Worlds in which something is said to add or to cost."""
    return {row["journey_id"] for row in rows if row["finding"] in {"adds", "costs"}}


def covered(rows: Sequence[Row], truth: float) -> float:
    """Share of the intervals of single cells that hold the truth."""
    held = sum(row["difference_low"] <= truth <= row["difference_high"] for row in rows)
    return float(held / len(rows))


def test_the_naive_reading_sees_an_effect_where_there_is_none(quiet: list[Row]) -> None:
    """People who saw the rates buy 1.85 times as often, texted or not."""
    ratios = [row["naive_ratio"] for row in texts(quiet, "late")]
    assert len(ratios) == FEW
    assert mean(ratios) == pytest.approx(1.85, abs=0.15)
    assert len(claiming(quiet)) <= 4  # of 25 with a chance of 5 %: more than 4 once in 140
    assert mean(row["difference"] for row in texts(quiet, "late")) == pytest.approx(0, abs=0.02)


def test_what_was_planted_comes_back(moved: list[Row]) -> None:
    """Both delays at their own size, and the early one is found."""
    for arm in ("early", "late"):
        rows, truth = texts(moved, arm), planted(arm, WORKS)
        assert mean(row["difference"] for row in rows) == pytest.approx(truth, abs=0.02)
        assert covered(rows, truth) >= 0.84  # 21 of 25
        assert all(row["together_low"] <= truth <= row["together_high"] for row in rows)
    assert sum(row["finding"] == "adds" for row in texts(moved, "early")) >= 15
    assert not any(row["finding"] == "costs" for row in moved)


def test_a_step_without_a_control_is_described_and_says_what_to_do(moved: list[Row]) -> None:
    """Whoever saw the rates got the text first, which chose who is left when the mail comes."""
    rows = [row for row in moved if row["message_id"] == "action:mail" and row["state"] == "seen"]
    assert len(rows) == 2 * FEW
    for row in rows:
        assert (row["basis"], row["status"], row["reasons"]) == (
            "described",
            "no control",
            "shown_before",
        )
        assert (row["difference"], row["together_low"], row["finding"]) == (
            None,
            None,
            "not caused",
        )
        assert row["advice"] == "hold out before this message"
        if row["count_needed"] is not None:
            assert row["described_difference"] is not None
            assert row["count_weeks"] * row["count_week"] >= row["count_needed"]
    # Nobody who had not seen them was texted: for them the mail itself was held out.
    fresh = [
        row for row in moved if row["message_id"] == "action:mail" and row["state"] == "not seen"
    ]
    assert {row["basis"] for row in fresh} == {"held out"}


def test_both_sides_have_not_bought_and_are_in_the_same_state(quiet: list[Row]) -> None:
    """Of the people of a world, those still at risk: never more shown than are there."""
    for row in quiet:
        assert row["count_shown"] <= row["count_units"] < 2400 * 0.4
        assert row["count_persons"] <= row["count_units"]
    by_state = [row for row in quiet if row["message_id"] == "action:text"]
    assert {row["state_kind"] for row in by_state} == {
        "everybody",
        "shipping_rates",
        "intent_tier",
    }
    assert "not seen" not in {row["state"] for row in by_state}, "nobody of them was texted"


@pytest.mark.prove
def test_no_effect_is_claimed_in_one_family_of_twenty(
    statements: Mapping[str, str], note: Callable[[str, int], None]
) -> None:
    rows = read(statements, MANY, NOTHING)
    false = claiming(rows)
    note("worlds of 500 without effect that claim one", len(false))
    assert len({row["journey_id"] for row in rows}) == MANY
    assert len(false) <= 0.05 * MANY
    for arm in ("early", "late"):
        assert 0.93 <= covered(texts(rows, arm), 0.0) <= 0.97


@pytest.mark.prove
def test_intervals_cover_what_was_planted(
    statements: Mapping[str, str], note: Callable[[str, int], None]
) -> None:
    rows = read(statements, MANY, WORKS)
    for arm in ("early", "late"):
        found, truth = texts(rows, arm), planted(arm, WORKS)
        note(f"intervals of 500 of the {arm} text that cover", round(covered(found, truth) * MANY))
        assert len(found) == MANY
        assert 0.93 <= covered(found, truth) <= 0.97
        assert mean(row["difference"] for row in found) == pytest.approx(truth, abs=0.005)
