"""What each experiment may say: its decision row, why it may not be read, and what it finds."""

from __future__ import annotations

from collections.abc import Sequence

from pipelines.built.tables import Record
from pipelines.review import words
from pipelines.review.gather import Review
from pipelines.review.legend import Reason

STATUSES = ("ok", "underpowered", "insufficient", "invalid")


def verdicts(review: Review) -> list[Record]:
    """One per experiment and arm: the primary metric's decision row and what goes with it."""
    found: list[Record] = []
    for experiment in review.experiments:
        key = experiment["experiment_key"]
        rows = [row for row in review.estimates if row["experiment_key"] == key]
        primary = [row for row in rows if row["is_primary"] and is_decision(row)]
        if not primary:
            found.append(_verdict(review, experiment, None, []))
        found += [
            _verdict(review, experiment, row, rows, is_one_of_several=len(primary) > 1)
            for row in primary
        ]
    return found


def is_decision(row: Record) -> bool:
    """Whether an estimate is of everyone assigned, in all strata."""
    return bool(row["population"] == "itt" and row["stratum"] == "all")


def _verdict(
    review: Review,
    experiment: Record,
    decision: Record | None,
    rows: Sequence[Record],
    *,
    is_one_of_several: bool = False,
) -> Record:
    arm = decision["arm"] if decision else None
    of_arm = [row for row in rows if row["arm"] == arm]
    sharper = [r for r in of_arm if r["is_primary"] and r["population"] == "ghost_reached"]
    others = [r for r in of_arm if not r["is_primary"] and is_decision(r)]
    return {
        "experiment": experiment,
        "title": title(review, experiment) + (f", {words.clean(arm)}" if is_one_of_several else ""),
        "decision": decision,
        "status": decision["status"] if decision else "no_estimate",
        "reasons": _reasons(review, decision) if decision else [_without(review, experiment)],
        "finding": finding(decision),
        "sharper": next((r for r in sharper if r["stratum"] == "all"), None),
        "others": others,
        "money": next((r for r in others if r["aggregation"] == "sum"), None),
        "credit": _of_arm(review, "fct_journey_credit", experiment, arm),
        "reached": next(
            (
                row
                for row in _all_of_arm(review, "fct_effect_on_the_reached", experiment, arm)
                if row["stratum"] == "all" and row["metric_key"] == experiment["primary_metric"]
            ),
            None,
        ),
    }


def _without(review: Review, experiment: Record) -> Reason:
    arms = [r for r in review.arms if r["experiment_key"] == experiment["experiment_key"]]
    has_control = any(row["is_control"] for row in arms)
    return ("nobody_assigned" if has_control else "no_control", False)


def _reasons(review: Review, row: Record) -> list[Reason]:
    """The codes of a row; those that only warn are told as warnings."""
    stopping = {
        check["guardrail"]
        for check in review.health
        if check["experiment_key"] == row["experiment_key"] and check["verdict"] == "invalid"
    }
    return [(code, code not in stopping) for code in words.codes_of(row["reasons"])]


def _all_of_arm(review: Review, mart: str, experiment: Record, arm: str | None) -> list[Record]:
    return [
        row
        for row in review.optional.get(mart) or []
        if row["experiment_key"] == experiment["experiment_key"] and row["arm"] == arm
    ]


def _of_arm(review: Review, mart: str, experiment: Record, arm: str | None) -> Record | None:
    """The arm's row of a mart that has one per experiment and arm."""
    return next(iter(_all_of_arm(review, mart, experiment, arm)), None)


def title(review: Review, experiment: Record) -> str:
    """What an experiment is called on the page: its journey's name, or its key in words."""
    name = experiment["journey_name"]
    named = words.clean(name) if name else words.plain(experiment["experiment_key"])
    twins = [
        other
        for other in review.experiments
        if other["journey_name"] == name and other["experiment_key"] != experiment["experiment_key"]
    ]
    return f"{named} ({words.clean(experiment['experiment_key'])})" if name and twins else named


def finding(row: Record | None) -> str:
    """What a decision row says, in as few words as are true."""
    if row is None or row["status"] in ("invalid", "insufficient") or row["lift"] is None:
        return "no lift is shown"
    if row["lift_low"] is None or row["lift_high"] is None:
        return f"interval withheld, p {words.probability(row['p_value'])}"
    if row["lift_low"] <= 0 <= row["lift_high"]:
        return "not distinguishable from zero"
    direction = "higher than in the control" if row["lift"] > 0 else "lower than in the control"
    if row["q_value"] is not None and row["q_value"] > row["alpha"]:
        return f"{direction}, but not once all readings are allowed for (q)"
    return direction


def said_briefly(verdict: Record) -> tuple[str, str]:
    """A verdict's key, `experiment/arm`, and what it says without its numbers: to be compared."""
    row = verdict["decision"]
    key = verdict["experiment"]["experiment_key"] + (f"/{row['arm']}" if row else "")
    return key, f"{words.STATUS[verdict['status']].lower()}, {finding(row).partition(', p ')[0]}"


def without_control(review: Review) -> list[Record]:
    """Journeys that showed somebody a message and have no experiment: no lift can be shown."""
    return [
        journey
        for journey in review.journeys
        if not journey["experiment_keys"] and journey["count_real"] + journey["count_ghost"] > 0
    ]


def do_not_read(review: Review) -> list[Record]:
    """What somebody might read off a dashboard and should not, with why."""
    found: list[Record] = []
    for verdict in verdicts(review):
        if verdict["status"] in ("invalid", "insufficient", "no_estimate"):
            found.append({"what": verdict["title"], "reasons": verdict["reasons"]})
        withheld = [
            words.clean(row["metric_label"] or row["metric_key"])
            for row in verdict["others"]
            if row["lift"] is not None and row["lift_low"] is None
        ]
        if withheld:
            what = f"{verdict['title']}: {', '.join(withheld)}"
            found.append({"what": what, "reasons": [("interval_withheld", False)]})
    return [*found, *_without_control_rows(review)]


def _without_control_rows(review: Review) -> list[Record]:
    return [
        {
            "what": words.journey(journey),
            "reasons": [("no_control", False)],
        }
        for journey in without_control(review)
    ]


def status_counts(review: Review) -> list[tuple[str, int]]:
    """How many decision rows have each status, journeys without a control last."""
    held = [verdict["status"] for verdict in verdicts(review)]
    counted = [(status, held.count(status)) for status in (*STATUSES, "no_estimate")]
    bare = len(without_control(review))
    return [(status, n) for status, n in [*counted, ("no_control", bare)] if n]
