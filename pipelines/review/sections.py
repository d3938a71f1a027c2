"""From rows to sections: which row stands where on the page, under which verdict."""

from __future__ import annotations

from pipelines.built.tables import Record
from pipelines.review import words
from pipelines.review.gather import Review
from pipelines.review.verdicts import is_decision, title, verdicts


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
        naive = _of_arm(review.contrasts, decision)
        if naive is None:
            continue
        if not naive["is_readable"]:
            too_few.append({**verdict, "naive": naive})
            continue
        rows.append(
            {
                **verdict,
                "naive": naive,
                "naive_ratio": naive["naive_ratio"],
                "ratio": naive["measured_ratio"],
                "ratio_low": naive["measured_ratio_low"],
                "ratio_high": naive["measured_ratio_high"],
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


def _of_arm(rows: list[Record], arm: Record | None) -> Record | None:
    """The row of the same experiment and arm."""
    if arm is None:
        return None
    key = (arm["experiment_key"], arm["arm"])
    return next((row for row in rows if (row["experiment_key"], row["arm"]) == key), None)


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
            and is_decision(row)
        ]
        if sum(row["lift"] is not None for row in rows) < 2:
            continue
        first = min(row["as_of"] for row in rows if row["lift"] is not None)
        marks = [
            mark
            for mark in review.marks
            if mark["marked_at"] >= first and mark["experiment_key"] in (None, key)
        ]
        found.append({**verdict, "rows": rows, "marks": marks})
    return found


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
    titles = {row["experiment_key"]: title(review, row) for row in review.experiments}
    found = [
        {
            **row,
            "title": titles.get(row["experiment_key"], words.plain(row["experiment_key"])),
            "reach": _of_arm(review.reach, row) or {},
            "match": _of_arm(review.match_rates_by_arm, row) or {},
        }
        for row in review.assignments
    ]
    return sorted(found, key=lambda row: (row["experiment_key"], row["is_control"], row["arm"]))


def adequacy(review: Review) -> list[Record]:
    """What each experiment could see at all: planning arithmetic, not an estimate of anything."""
    return [
        {**verdict, "size": size}
        for verdict in verdicts(review)
        if (size := _of_arm(review.sizes, verdict["decision"])) is not None
    ]


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
            and is_decision(past)
        ]
        if earlier:
            moved.append({**verdict, "before": earlier[-1]})
    dated = [mark for mark in review.marks if mark["marked_at"] >= review.week_from]
    return {"moved": moved, "dated": dated}


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
    return words.week(review.previous_from, review.week_from)


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
        control_arm = steps[0]["control_arm"]
        held = {
            row["step"]: row
            for row in rows
            if control_arm is not None and row["arm"] == control_arm
            if row["experiment_key"] == key
        }
        beside = [{**row, "control": held.get(row["step"])} for row in steps]
        found.append(
            {
                "arm": arm,
                "control_arm": control_arm,
                "steps": beside,
                "worst": _worst(review, steps[0], arm),
                "worst_control": control_arm and _worst(review, steps[0], control_arm),
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


def _worst(review: Review, step: Record, arm: str | None) -> Record | None:
    """The step that most people of an arm miss first, in the funnel of that step."""
    keys = ("workspace_id", "journey_id", "experiment_key")
    return next(
        (
            row
            for row in review.checkout_drops
            if row["arm"] == arm and all(row[key] == step[key] for key in keys)
        ),
        None,
    )


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
