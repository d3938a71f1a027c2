"""The first screen: per journey one card, with what to do, the number that decides, and its tiles.

Which action, which number and every count are columns of `fct_review_cards` and
`fct_review_tiles`; here they get their words and their place.
"""

from __future__ import annotations

from typing import Any

from pipelines.built.tables import Record
from pipelines.review import charts, words
from pipelines.review.gather import Review

TILES = ("entries", "exposure", "click_through", "conversion", "drop")


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
    actions = [row["action"] for row in review.cards]
    return [(action, actions.count(action)) for action in words.ACTIONS if action in actions]


def name(row: Record) -> str:
    """What a journey is called: its name, or its id."""
    return words.clean(row["journey_name"] or "") or f"Journey {words.clean(row['journey_id'])}"


def _card(review: Review, row: Record) -> Record:
    weeks = [
        tile
        for tile in review.tiles
        if (tile["workspace_id"], tile["journey_id"]) == (row["workspace_id"], row["journey_id"])
    ]
    named = name(row)
    twins = [other for other in review.cards if name(other) == named]
    if len(twins) > 1:
        named = f"{named}, {_workspace(review, row['workspace_id'])}"
    marks = [mark for mark in definition_marks(review) if _concerns(mark, row)]
    return {
        **row,
        "name": named,
        "anchor": f"{row['workspace_id']}-{words.slug(row['journey_id'])}",
        "what": do(row),
        "number": number(review, row),
        "tiles": _tiles(review, weeks, marks) if len(weeks) > 1 else [],
    }


def do(row: Record) -> str:
    """What to do, in words."""
    said = words.ACTIONS[row["action"]]
    return f"{said} {words.day(row['until_at'])}" if row["action"] == "keep_running" else said


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
            f"{words.clean(label or row['metric_key'])}, against the held-out",
        }
    family = "card"
    if figure == "guardrail":
        shown = review.checks.amount(row["reason"], row["guardrail_value"])
        limit = review.checks.amount(row["reason"], row["guardrail_threshold"])
        big, small, column = shown, f"where {limit} is the limit", "guardrail_value"
    elif figure == "assigned":
        big, small, column = words.count(row["count_week"] or 0), "people this week", "count_week"
    elif figure == "held_out":
        big, column = "0", "count_entries_told"
        small = f"held out of {words.count(row['count_entries_told'])} entries in "
        small += f"{words.spelled(len(review.weeks))} weeks"
    else:
        big, column = words.count(row["count_mature"] or 0), "count_mature"
        planned = row["planned_n"]
        small = "people, none planned" if planned is None else f"of {words.count(planned)} people"
    return {"family": family, "column": column, "big": big, "small": small}


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
    now, before = weeks[0], weeks[1]
    span = (review.weeks[-1]["starts_at"], review.as_of)

    def tile(label: str, column: str, value: str, was: str, note: str, **more: Any) -> Record:
        row = [week[column] for week in reversed(weeks)]
        said = more.get("said", words.count)
        return {
            "label": label,
            "row": now,
            "column": column,
            "value": value,
            "note": note,
            "was": was,
            "line": charts.line(
                row,
                [mark["marked_at"] for mark in marks],
                span=span,
                label=words.line(label, row, said),
            ),
        }

    return [
        tile(
            "Entries",
            "count_entries",
            words.count(now["count_entries"]),
            words.count(before["count_entries"]),
            "",
        ),
        tile(
            "Shown really", "count_real", _exposure(now), _exposure(before), "withheld, undelivered"
        ),
        tile(
            "Human clicks",
            "click_through",
            words.share(now["click_through"]),
            words.share(before["click_through"]),
            "",
            said=words.share,
        ),
        tile(
            "Conversion",
            "conversion",
            words.share(now["conversion"]),
            words.share(before["conversion"]),
            f"of {words.count(now['count_completed'])} people",
            said=words.share,
        ),
        tile(
            "Most drop before",
            "dropped_share",
            words.step(now["drop_step"]),
            words.step(before["drop_step"]),
            f"{words.count(now['count_dropped'])} of {words.count(now['count_started'])}",
            said=words.share,
        ),
    ]


def _exposure(week: Record) -> str:
    return " / ".join(words.count(week[f"count_{kind}"]) for kind in ("real", "ghost", "none"))


def _workspace(review: Review, workspace_id: int | None) -> str:
    names = {row["workspace_id"]: row["name"] for row in review.workspaces}
    return words.clean(names.get(workspace_id) or f"workspace {workspace_id}")
