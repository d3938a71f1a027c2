"""A family of figures that stand in the same place of the page's JSON."""

from __future__ import annotations

from dataclasses import dataclass

ARM = ("experiment_key", "arm")
JOURNEY = ("workspace_id", "journey_id")


@dataclass(frozen=True)
class Family:
    """Figures that stand in the same place of the page's JSON.

    Attributes:
        name: first part of their names.
        at: where the JSON holds their rows; `[]` stands for every element of a list.
        source: the relation that has them as columns.
        keys: columns that name a row.
        columns: which columns are figures; all numbers besides the keys when empty.
        headline: the column that is told first.
        where: which rows of the relation a name can mean.
        listed: which of these rows are listed here, when others are another family's.
        beside: columns without which a figure must not be told.
        rests_on: the relations that hold the rows beneath, the first of them those that are
            counted; where none is named, rows with the same keys are looked for one step away.
        recount: the statement in `recounts/` that counts the figure again from them; its columns
            are compared with those of the same name. Without one, the rows with the same keys are
            counted.
        people: the statement in `recounts/` that stands for its `{people}`, where several families
            are counted alike.
        more: names columns of this family alone (`columns.yml`), which stand for its `{more}`.
        rows: which of these count.
    """

    name: str
    at: str
    source: str
    keys: tuple[str, ...]
    columns: tuple[str, ...] = ()
    headline: str = ""
    where: str = ""
    listed: str = "true"
    beside: tuple[str, ...] = ()
    rests_on: tuple[str, ...] = ()
    recount: str = ""
    people: str = ""
    more: str = ""
    rows: str = ""
