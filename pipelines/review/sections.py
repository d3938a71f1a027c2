"""From rows to sections: which row stands where on the page, under which verdict."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from datetime import timedelta
from statistics import NormalDist

from pipelines.built.tables import Record
from pipelines.review import words
from pipelines.review.gather import Review
from pipelines.review.tallies import TREND_WEEKS, WEEK

POWER = 0.8
LEAST_CLICKERS = 30
"""Fewer people than this on either side are not even read naively."""

STATUSES = ("ok", "underpowered", "insufficient", "invalid")


def verdicts(review: Review) -> list[Record]:
    """One per experiment and arm: the primary metric's decision row and what goes with it."""
    found: list[Record] = []
    for experiment in review.experiments:
        key = experiment["experiment_key"]
        rows = [row for row in review.estimates if row["experiment_key"] == key]
        primary = [row for row in rows if row["is_primary"] and _is_decision(row)]
        if not primary:
            found.append(_verdict(review, experiment, None, []))
        found += [
            _verdict(review, experiment, row, rows, is_one_of_several=len(primary) > 1)
            for row in primary
        ]
    return found


def _is_decision(row: Record) -> bool:
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
    others = [r for r in of_arm if not r["is_primary"] and _is_decision(r)]
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


def _without(review: Review, experiment: Record) -> str:
    arms = [r for r in review.arms if r["experiment_key"] == experiment["experiment_key"]]
    if not any(row["is_control"] for row in arms):
        return "no arm is registered as control, so there is no lift"
    return "nobody is assigned yet"


def _reasons(review: Review, row: Record) -> list[str]:
    """Reasons in words; those that only warn are told as warnings."""
    stopping = {
        check["guardrail"]
        for check in review.health
        if check["experiment_key"] == row["experiment_key"] and check["verdict"] == "invalid"
    }
    return [
        review.checks.sentence(code, warns=code not in stopping)
        for code in words.codes_of(row["reasons"])
    ]


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
    if row["q_value"] is not None and row["q_value"] > row.get("alpha", 0.05):
        return f"{direction}, but not once all readings are allowed for (q)"
    return direction


def without_control(review: Review) -> list[Record]:
    """Journeys that showed somebody a message and have no experiment: no lift can be shown."""
    return [
        journey
        for journey in review.journeys
        if not journey["experiment_keys"]
        and journey.get("count_real", 0) + journey.get("count_ghost", 0) > 0
    ]


def forest(review: Review) -> Record:
    """Every experiment's estimate of a share on one scale; the rest is named, not drawn."""
    rows: list[Record] = []
    undrawn: list[Record] = []
    for verdict in verdicts(review):
        decision = verdict["decision"]
        if decision is None or decision["aggregation"] != "any" or decision["lift"] is None:
            undrawn.append(verdict)
            continue
        for row in (decision, verdict["sharper"]):
            if row is not None and row["lift"] is not None:
                rows.append({**row, "title": verdict["title"], "is_sharp": row is not decision})
    limits = [
        row[name]
        for row in rows
        for name in ("lift", "lift_low", "lift_high")
        if row[name] is not None
    ]
    low, high = min([0.0, *limits]), max([0.0, *limits])
    margin = (high - low or 0.02) * 0.06
    return {"rows": rows, "undrawn": undrawn, "domain": (low - margin, high + margin)}


def contrasts(review: Review) -> Record:
    """The naive reading beside the lift, for each arm that has both: ratios on one scale."""
    rows: list[Record] = []
    too_few: list[Record] = []
    for verdict in verdicts(review):
        decision = verdict["decision"]
        naive = next(
            (
                row
                for row in review.contrasts
                if row["experiment_key"] == verdict["experiment"]["experiment_key"]
                and decision is not None
                and row["arm"] == decision["arm"]
            ),
            None,
        )
        if naive is None or decision is None:
            continue
        if min(naive["count_clickers"], naive["count_others"]) < LEAST_CLICKERS:
            too_few.append({**verdict, "naive": naive})
            continue
        relative = decision["lift_relative"]
        rows.append(
            {
                **verdict,
                "naive": naive,
                "naive_ratio": naive["naive_ratio"],
                "ratio": None if relative is None else 1 + relative,
                "ratio_low": _plus_one(decision.get("lift_relative_low")),
                "ratio_high": _plus_one(decision.get("lift_relative_high")),
            }
        )
    numbers = [
        row[name]
        for row in rows
        for name in ("naive_ratio", "ratio", "ratio_low", "ratio_high")
        if row[name] is not None and row[name] > 0
    ]
    domain = (min([0.5, *numbers]) * 0.9, max([4.0, *numbers]) * 1.15)
    return {"rows": rows, "too_few": too_few, "domain": domain}


def _plus_one(value: float | None) -> float | None:
    return None if value is None else 1 + value


def timelines(review: Review) -> list[Record]:
    """How each decision estimate moved, with the dated changes inside its span."""
    found: list[Record] = []
    for verdict in verdicts(review):
        decision = verdict["decision"]
        if decision is None:
            continue
        key = decision["experiment_key"]
        rows = [
            row
            for row in review.history
            if row["experiment_key"] == key
            and row["arm"] == decision["arm"]
            and row["is_primary"]
            and _is_decision(row)
        ]
        if sum(row["lift"] is not None for row in rows) < 2:
            continue
        first = min(row["as_of"] for row in rows if row["lift"] is not None)
        marks = [
            mark
            for mark in review.marks
            if mark["at"] >= first and mark["experiment_key"] in (None, key)
        ]
        found.append({**verdict, "rows": rows, "marks": marks})
    return found


def trend_weeks(review: Review, journey: Record) -> list[Record]:
    """Messages by week and kind, with the week's first day; weeks without messages count zero."""
    counted = {(r["weeks_ago"], r["exposure_kind"]): r["count_messages"] for r in journey["trend"]}
    return [
        {
            "week": review.as_of - weeks_ago * WEEK,
            "exposure_kind": kind,
            "count_messages": counted.get((weeks_ago, kind), 0),
        }
        for weeks_ago in range(TREND_WEEKS, 0, -1)
        for kind in ("real", "ghost", "none")
    ]


def health(review: Review) -> list[Record]:
    """Guardrails by experiment and population: the worst verdict first told, every value kept."""
    keys = sorted({(r["experiment_key"], r["population"]) for r in review.health}, reverse=False)
    ordered = sorted(keys, key=lambda key: (key[0], key[1] != "itt"))
    titles = {row["experiment_key"]: title(review, row) for row in review.experiments}
    return [
        {
            "experiment_key": key,
            "title": titles.get(key, words.plain(key)),
            "population": population,
            "rows": sorted(
                (
                    row
                    for row in review.health
                    if (row["experiment_key"], row["population"]) == (key, population)
                ),
                key=lambda row: (("invalid", "warn", "ok").index(row["verdict"]), row["guardrail"]),
            ),
        }
        for key, population in ordered
    ]


def arms(review: Review) -> list[Record]:
    """Each arm beside its declared weight: people, this week's, reach, match rate, burden."""
    declared: dict[tuple[str, str], Record] = {}
    for row in review.arms:  # the latest allocation version wins
        declared[row["experiment_key"], row["arm"]] = row
    totals: dict[str, int] = {}
    weekly: dict[str, int] = {}
    for row in review.assignments:
        key = row["experiment_key"]
        totals[key] = totals.get(key, 0) + row["count_people"]
        weekly[key] = weekly.get(key, 0) + row["count_week"]
    titles = {row["experiment_key"]: title(review, row) for row in review.experiments}

    def beside(rows: Iterable[Record], key: tuple[str, str]) -> Record:
        return next((r for r in rows if (r["experiment_key"], r["arm"]) == key), {})

    found = []
    for row in review.assignments:
        key = (row["experiment_key"], row["arm"])
        registered = declared.get(key, {})
        found.append(
            {
                **row,
                "title": titles.get(key[0], words.plain(key[0])),
                "is_control": bool(registered.get("is_control")),
                "weight": registered.get("weight"),
                "share_people": words.ratio(row["count_people"], totals[key[0]]),
                "share_week": words.ratio(row["count_week"], weekly[key[0]]),
                "reach": beside(review.reach, key),
                "match": beside(review.match_rates_by_arm, key),
            }
        )
    return sorted(found, key=lambda row: (row["experiment_key"], row["is_control"], row["arm"]))


def adequacy(review: Review) -> list[Record]:
    """What each experiment could see at all: planning arithmetic, not an estimate of anything.

    The smallest detectable difference is that of two shares at 80% power; the paying difference
    is the messages' cost per person of the arm over the revenue per converted person.
    """
    found: list[Record] = []
    for verdict in verdicts(review):
        row, experiment = verdict["decision"], verdict["experiment"]
        if row is None or row["aggregation"] != "any" or row["mean_control"] is None:
            continue
        treated, held, base = row["count_treatment"], row["count_control"], row["mean_control"]
        alpha = experiment["alpha"] or 0.05
        mature = treated + held
        weekly = sum(
            r["count_week"]
            for r in review.assignments
            if r["experiment_key"] == experiment["experiment_key"]
        )
        lacking = max(0, (experiment["planned_n"] or 0) - mature)
        found.append(
            {
                **verdict,
                "base": base,
                "count_mature": mature,
                "planned_n": experiment["planned_n"],
                "smallest": _smallest(base, treated, held, alpha),
                "smallest_at_half": _smallest(base, mature / 2, mature / 2, alpha),
                "paying": _paying(review, verdict),
                "count_week": weekly,
                "weeks_to_plan": math.ceil(lacking / weekly) if lacking and weekly else None,
                "count_lacking": lacking,
            }
        )
    return found


def _smallest(base: float, treated: float, held: float, alpha: float) -> float | None:
    if not treated or not held or not 0 < base < 1:
        return None
    normal = NormalDist()
    factor = normal.inv_cdf(1 - alpha / 2) + normal.inv_cdf(POWER)
    return factor * math.sqrt(base * (1 - base) * (1 / treated + 1 / held))


def _paying(review: Review, verdict: Record) -> float | None:
    money, row, experiment = verdict["money"], verdict["decision"], verdict["experiment"]
    journey = next(
        (j for j in review.journeys if experiment["experiment_key"] in j["experiment_keys"]), None
    )
    people = sum(
        r["count_people"]
        for r in review.assignments
        if (r["experiment_key"], r["arm"]) == (experiment["experiment_key"], row["arm"])
    )
    if journey is None or money is None or not money["mean_control"] or not people:
        return None
    prices = {r["channel"]: float(r["cost_per_message"] or 0) for r in review.costs}
    cost = sum(m["count_real"] * prices.get(m["channel"], 0.0) for m in journey["messages"])
    revenue = money["mean_control"] / row["mean_control"] if row["mean_control"] else 0
    return cost / people / revenue if revenue else None


def changes(review: Review) -> Record:
    """What is different from a week ago: estimates and statuses that moved, and dated changes."""
    moved: list[Record] = []
    for verdict in verdicts(review):
        row = verdict["decision"]
        if row is None:
            continue
        earlier = [
            past
            for past in review.history
            if past["as_of"] <= review.week_from
            and past["experiment_key"] == row["experiment_key"]
            and past["arm"] == row["arm"]
            and past["metric_key"] == row["metric_key"]
            and _is_decision(past)
        ]
        if earlier:
            moved.append({**verdict, "before": earlier[-1]})
    dated = [mark for mark in review.marks if mark["at"] >= review.week_from]
    return {"moved": moved, "dated": dated}


def do_not_read(review: Review) -> list[Record]:
    """What somebody might read off a dashboard and should not, with why."""
    found: list[Record] = []
    for verdict in verdicts(review):
        if verdict["status"] in ("invalid", "insufficient", "no_estimate"):
            found.append(
                {
                    "what": verdict["title"],
                    "why": "; ".join(verdict["reasons"]) or words.STATUS[verdict["status"]],
                    "status": verdict["status"],
                }
            )
        withheld = [
            words.clean(row["metric_label"] or row["metric_key"])
            for row in verdict["others"]
            if row["lift"] is not None and row["lift_low"] is None
        ]
        if withheld:
            found.append(
                {
                    "what": f"{verdict['title']}: {', '.join(withheld)}",
                    "why": "no interval, because a few large values decide the mean; read p, "
                    "and the primary metric",
                    "status": "underpowered",
                }
            )
    found += [
        {
            "what": words.clean(journey.get("journey_name") or f"Journey {journey['journey_id']}"),
            "why": "no control, so nothing can be said about what it caused; register a holdout",
            "status": "no_control",
        }
        for journey in without_control(review)
    ]
    return found


def status_counts(review: Review) -> list[tuple[str, int]]:
    """How many decision rows have each status, journeys without a control last."""
    held = [verdict["status"] for verdict in verdicts(review)]
    counted = [(status, held.count(status)) for status in (*STATUSES, "no_estimate")]
    bare = len(without_control(review))
    return [(status, n) for status, n in [*counted, ("no_control", bare)] if n]


def brands(review: Review) -> list[str]:
    """The workspaces that the page is about: by name where they have one."""
    names = {row["workspace_id"]: row["name"] for row in review.workspaces}
    seen = sorted({journey["workspace_id"] for journey in review.journeys})
    return [words.clean(names.get(one) or f"workspace {one}") for one in seen]


def week_of(review: Review) -> str:
    """The week under review in words."""
    return words.week(review.week_from, review.as_of)


def previous_week_of(review: Review) -> str:
    """The week before it."""
    return words.week(review.previous_from, review.previous_from + timedelta(days=7))


def currency(review: Review) -> str:
    """The currency of the channel costs when there is only one; else money has none."""
    found = {str(row["currency"]) for row in review.costs if row["currency"]}
    return words.clean(found.pop()) if len(found) == 1 else ""


def of_journey(review: Review, mart: str, journey: Record) -> list[Record]:
    """The rows of a mart that belong to a journey: by its experiments, or by its own id."""
    return [
        row
        for row in review.optional.get(mart) or []
        if (
            row["experiment_key"] in journey["experiment_keys"]
            if row["experiment_key"] is not None
            else (row["workspace_id"], row["journey_id"])
            == (journey["workspace_id"], journey["journey_id"])
        )
    ]


def funnels(review: Review, journey: Record) -> list[Record]:
    """The checkout of a journey, one per experiment and arm, each step beside the control's.

    A journey without an experiment has one, with nothing beside it.
    """
    rows = of_journey(review, "fct_checkout_funnel", journey)
    found: list[Record] = []
    for key, arm in sorted(
        {(r["experiment_key"], r["arm"]) for r in rows if r["status"] != "control"}, key=str
    ):
        steps = sorted(
            (r for r in rows if (r["experiment_key"], r["arm"]) == (key, arm)),
            key=lambda row: row["step_number"],
        )
        held = {
            row["step"]: row
            for row in rows
            if row["experiment_key"] == key and row["arm"] == steps[0]["control_arm"]
        }
        beside = [{**row, "control": held.get(row["step"])} for row in steps]
        found.append(
            {
                "arm": arm,
                "control_arm": steps[0]["control_arm"],
                "steps": beside,
                "worst": _worst(beside),
                "worst_control": _worst(list(held.values())),
            }
        )
    return [funnel for funnel in found if funnel["steps"][0]["count_units"]]


def timings(review: Review, journey: Record) -> list[Record]:
    """Conversion by timing, drawn delays first, then landmarks by their hour."""
    return sorted(
        of_journey(review, "fct_message_timing", journey),
        key=lambda row: (
            row["basis"] != "randomised",
            row["experiment_key"],
            row["arm"],
            row["landmark_hours"] is None,
            row["landmark_hours"] or 0,
        ),
    )


def is_active(journey: Record) -> bool:
    """Whether anything happened in two weeks, or an experiment runs on it."""
    return bool(
        journey["experiment_keys"]
        or any(value for name, value in journey.items() if name.endswith("_week") and value)
    )


def _worst(steps: Sequence[Record]) -> Record | None:
    """The step that most people miss first, the first step aside: not to start is not to drop."""
    later = [row for row in steps if row["step_number"] > 1 and row["count_dropped"]]
    return max(later, key=lambda row: (row["count_dropped"], -row["step_number"]), default=None)


def pressure(review: Review) -> list[Record]:
    """What people of each arm received and what they did about it, one row per arm."""
    rows = [r for r in review.optional.get("fct_message_pressure") or [] if r["experiment_key"]]
    titles = {row["experiment_key"]: title(review, row) for row in review.experiments}
    keys = sorted({(r["experiment_key"], r["status"] == "control", r["arm"]) for r in rows})
    return [
        {
            "title": titles.get(key, words.plain(key)),
            "arm": arm,
            "is_control": is_control,
            "measures": {
                r["measure"]: r for r in rows if (r["experiment_key"], r["arm"]) == (key, arm)
            },
        }
        for key, is_control, arm in keys
    ]


def strata(review: Review) -> list[Record]:
    """Lift within a tier, primary metric, for each experiment that has it."""
    titles = {row["experiment_key"]: title(review, row) for row in review.experiments}
    return [
        {**row, "title": titles.get(row["experiment_key"], words.plain(row["experiment_key"]))}
        for row in review.estimates
        if row["is_primary"] and row["population"] == "itt" and row["stratum"] != "all"
    ]
