"""The first screen: per journey one card, with what to do, the number that decides, and its tiles.

Which action, which number and every count are columns of `fct_review_cards` and
`fct_review_tiles`; here they get their words and their place.
"""

from __future__ import annotations

from collections.abc import Callable

from pipelines.built.tables import Record
from pipelines.review import charts, words
from pipelines.review.gather import Review
from pipelines.review.legend import say

Parts = list[tuple[str, str]]
"""Texts that stand side by side, each with the column that it tells, or none."""

Told = Callable[[Record], Parts]


def by_motion(review: Review) -> list[Record]:
    """The cards in their order, those of one revenue motion together."""
    groups: list[Record] = []
    for row in review.cards:
        if not groups or groups[-1]["motion"] != row["motion"]:
            motion = row["motion"]
            groups.append(
                {
                    "motion": motion,
                    "title": "No motion declared" if motion is None else words.plain(motion),
                    "cards": [],
                }
            )
        groups[-1]["cards"].append(_card(review, row))
    return groups


def counted(review: Review) -> list[tuple[str, int]]:
    """How many journeys have each action, the most urgent first."""
    actions = [row["decision"] for row in review.cards]
    return [(action, actions.count(action)) for action in words.ACTIONS if action in actions]


def lines(review: Review) -> list[str]:
    """A line a journey, the most urgent first: what to do, the number, and the tag of why."""
    urgent = sorted(review.cards, key=lambda row: list(words.ACTIONS).index(row["decision"]))
    said = [(row, number(review, row)) for row in urgent]
    return [
        f"{do(row)}: {name(review, row)}, {told['big']} {told['small']} "
        f"({say(review.checks, (row['reason'], False))[0].lower()})."
        for row, told in said
    ]


def name(review: Review, row: Record) -> str:
    """What a journey is called; with its workspace, where another one is called so too."""
    named = words.journey(row)
    twins = [other for other in review.cards if words.journey(other) == named]
    return f"{named}, {_workspace(review, row['workspace_id'])}" if len(twins) > 1 else named


def _card(review: Review, row: Record) -> Record:
    weeks = [
        tile
        for tile in review.tiles
        if (tile["workspace_id"], tile["journey_id"]) == (row["workspace_id"], row["journey_id"])
    ]
    marks = [mark for mark in definition_marks(review) if _concerns(mark, row)]
    return {
        **row,
        "name": name(review, row),
        "anchor": f"{row['workspace_id']}-{words.slug(row['journey_id'])}",
        "what": do(row),
        "number": number(review, row),
        "tiles": _tiles(review, weeks, marks) if len(weeks) > 1 else [],
    }


def do(row: Record) -> str:
    """What to do, in words."""
    said = words.ACTIONS[row["decision"]]
    if row["decision"] == "keep_running":
        return f"{said} {words.day(row['until_at'])}"
    if row["decision"] == "hold_out_first" and row["reason"] != "no_control":
        return words.HOLD_MORE_OUT
    return said


def number(review: Review, row: Record) -> Record:
    """The number that decides, in big, and what it is of, in small."""
    figure = row["figure"]
    if figure == "lift":
        money = words.currency(review.costs)
        kind = row["aggregation"]
        label = next(
            (m["label"] for m in review.metrics if m["metric_key"] == row["metric_key"]), None
        )
        return {
            "family": "lift",
            "column": "lift",
            "big": words.difference(row["lift"], kind, money),
            "small": f"{words.interval(row['lift_low'], row['lift_high'], kind)} "
            f"{words.clean(label or row['metric_key'])}, {_arm(row)}against the held-out",
        }
    family = "card"
    if figure == "guardrail":
        shown = review.checks.amount(row["reason"], row["guardrail_value"])
        limit = review.checks.amount(row["reason"], row["guardrail_threshold"])
        big, small, column = shown, f"where {limit} is the limit", "guardrail_value"
    elif figure == "assigned":
        big, small, column = words.count(row["count_week"] or 0), "people this week", "count_week"
    elif figure == "silent":
        big, column = words.duration(60 * row["hours_silent"]), "hours_silent"
        small = "since the last row came"
    elif figure == "weeks":
        big, column = (
            words.weeks(row["count_weeks_to_plan"], review.longest_weeks),
            "count_weeks_to_plan",
        )
        small = f"until {words.count(row['planned_n'])} people are there, at "
        small += f"{words.count(row['count_week'])} a week"
    elif figure == "held_out":
        big, column = "0", ""
        small = f"held out of {words.count(row['count_entries_told'])} entries in "
        small += f"{words.spelled(len(review.weeks))} weeks"
    else:
        big, column = words.count(row["count_mature"] or 0), "count_mature"
        planned = row["planned_n"]
        small = "people, none planned" if planned is None else f"of {words.count(planned)} people"
    return {"family": family, "column": column, "big": big, "small": small}


def _arm(row: Record) -> str:
    """Which arm a number is of, where the journey has several readings."""
    return f"{words.clean(row['arm'])} " if row["count_readings"] > 1 else ""


def definition_marks(review: Review) -> list[Record]:
    """Changes of what is counted or who counts, inside the weeks that the page tells."""
    first = review.weeks[-1]["starts_at"]
    return [m for m in review.marks if m["is_definition"] and m["marked_at"] >= first]


def _concerns(mark: Record, row: Record) -> bool:
    return mark["workspace_id"] in (None, row["workspace_id"]) and mark["experiment_key"] in (
        None,
        row["experiment_key"],
    )


def _tiles(review: Review, weeks: list[Record], marks: list[Record]) -> list[Record]:
    """The five tiles: this week, the week before, and all of them as a line, oldest first."""
    span = (review.weeks[-1]["starts_at"], review.as_of)
    places = [mark["marked_at"] for mark in marks]

    def tile(label: str, column: str, base: str, told: Told, note: str = "") -> Record:
        values = [week[column] for week in reversed(weeks)]
        said = words.count if column.startswith("count_") else words.share
        spoken = words.line(label, values, said)
        return {
            "label": label,
            "note": note,
            "row": weeks[0],
            "is_silent": weeks[0][base] is None,
            "parts": told(weeks[0]),
            "was": "".join(text for _, text in told(weeks[1])),
            "line": charts.line(values, places, span=span, label=spoken),
        }

    return [
        tile("Entries", "count_entries", "count_entries", _entries),
        tile("Shown really", "count_real", "count_real", _exposure, "withheld, undelivered"),
        tile("Human clicks", "click_through", "count_real", _share_of("click_through", "")),
        tile(
            *("Conversion", "conversion_rate", "count_completed"),
            _share_of("conversion_rate", "count_completed"),
        ),
        tile("Most drop before", "dropped_share", "count_completed", _drop),
    ]


def _entries(week: Record) -> Parts:
    return [("count_entries", words.count(week["count_entries"]))]


def _exposure(week: Record) -> Parts:
    if week["count_real"] is None:
        return [("", words.ABSENT)]
    return [
        ("count_real", words.count(week["count_real"])),
        ("", " / "),
        ("count_ghost", words.count(week["count_ghost"])),
        ("", " / "),
        ("count_none", words.count(week["count_none"])),
    ]


def _share_of(column: str, base: str) -> Told:
    def told(week: Record) -> Parts:
        known = base and week[base]
        after = [("", " of "), (base, words.count(week[base]))] if known else []
        return [(column, words.share(week[column])), *after]

    return told


def _drop(week: Record) -> Parts:
    if week["drop_step"] is None:
        return [("", words.ABSENT)]
    return [
        ("", f"{words.plain(week['drop_step'])}, "),
        ("count_dropped", words.count(week["count_dropped"])),
        ("", " of "),
        ("count_started", words.count(week["count_started"])),
    ]


def _workspace(review: Review, workspace_id: int | None) -> str:
    names = {row["workspace_id"]: row["name"] for row in review.workspaces}
    return words.clean(names.get(workspace_id) or f"workspace {workspace_id}")
