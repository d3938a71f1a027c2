"""Stories of `tests/scenarios/identity/` as files of an export, and what they say must come out."""

from __future__ import annotations

import csv
import hashlib
import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from pipelines.blanks import BLANKS
from pipelines.settings import PROJECT_DIR

STORIES = PROJECT_DIR / "tests" / "scenarios" / "identity" / "stories.yml"
BASE = datetime(2026, 3, 1)
EPOCH = datetime(1970, 1, 1)
DAYS = (1, 2, 3, 4)
RULE_COLUMNS = (
    "workspace_id,identifier_type,role,normalisation,max_profiles,placeholder_values,owner,"
    "decided_on"
)

TEXT, BIGINT, BOOLEAN, TIMESTAMP = pa.string(), pa.int64(), pa.bool_(), pa.timestamp("us")
SHAPES: dict[str, dict[str, Any]] = {
    "people": {
        "workspace_id": BIGINT,
        "customer_id": TEXT,
        "internal_customer_id": TEXT,
        "deleted": BOOLEAN,
        "suppressed": BOOLEAN,
        "created_at": TIMESTAMP,
        "updated_at": TIMESTAMP,
        "email_addr": TEXT,
    },
    "attributes": {
        "workspace_id": BIGINT,
        "internal_customer_id": TEXT,
        "attribute_name": TEXT,
        "attribute_value": TEXT,
        "timestamp": TIMESTAMP,
    },
    "deliveries": {
        "workspace_id": BIGINT,
        "delivery_id": TEXT,
        "internal_customer_id": TEXT,
        "subject_id": TEXT,
        "event_id": TEXT,
        "delivery_type": TEXT,
        "campaign_id": BIGINT,
        "action_id": BIGINT,
        "newsletter_id": BIGINT,
        "content_id": BIGINT,
        "trigger_id": BIGINT,
        "transactional_message_id": BIGINT,
        "created_at": TIMESTAMP,
        "seq_num": BIGINT,
    },
    "behavior": {
        "event_id": TEXT,
        "customer_id": TEXT,
        "email": TEXT,
        "event_name": TEXT,
        "occurred_at": TIMESTAMP,
    },
    "users": {
        "user_id": BIGINT,
        "identity": TEXT,
        "email": TEXT,
        "joindate": TIMESTAMP,
        "last_modified": TIMESTAMP,
    },
    "sessions": {
        "session_id": BIGINT,
        "user_id": BIGINT,
        "time": TIMESTAMP,
        "library": TEXT,
        "platform": TEXT,
    },
    "user_migrations": {"from_user_id": BIGINT, "to_user_id": BIGINT, "time": TIMESTAMP},
}


def instant(day: float | str) -> datetime:
    """Day 1.5 of every story is noon of 2 March 2026; `epoch` is the vendor's zero."""
    return EPOCH if day == "epoch" else BASE + timedelta(days=float(day))


@dataclass(frozen=True)
class Story:
    """One story in a workspace of its own."""

    number: int
    told: dict[str, Any]

    @property
    def name(self) -> str:
        return str(self.told["story"])

    @property
    def workspace(self) -> int:
        return 700_000 + self.number

    @property
    def expect(self) -> dict[str, Any]:
        return dict(self.told["expect"])

    def own(self, value: object) -> str | None:
        """An identifier of this story alone."""
        if value is None:
            return None
        text = str(value)
        if text.startswith("LONG"):
            return f"s{self.number}-{text}-" + "x" * 300
        if not text.strip(BLANKS) or text in self.told.get("as_written", []):
            return text
        blanks = len(text) - len(text.lstrip(BLANKS))
        return f"{text[:blanks]}s{self.number}.{text[blanks:]}"

    def profile(self, name: str) -> str:
        """The cio_id of a profile."""
        return f"{self.number:02d}{name}"

    def person(self, name: str) -> str:
        """The person id the profile gives as the oldest of its person."""
        key = f"{self.workspace}:{self.profile(name)}"
        return hashlib.md5(key.encode(), usedforsecurity=False).hexdigest()

    def persons(self, day: int) -> list[list[str]] | None:
        """Who is one person after that day, if the story says so."""
        said = self.expect["persons"]
        if isinstance(said, dict):
            text = said.get(day) if day < DAYS[-1] else said.get(day, said[max(said)])
        else:
            text = said if day == DAYS[-1] else None
        return None if text is None else [group.split() for group in text.split("|")]

    def rows(self, key: str) -> list[list[Any]]:
        """Rows of one kind."""
        return list(self.told.get(key, []))


def read_stories() -> list[Story]:
    """Every story, numbered in the order they are told."""
    told = yaml.safe_load(STORIES.read_text(encoding="utf-8"))
    return [Story(number, story) for number, story in enumerate(told, start=10)]


def _options(row: list[Any], length: int) -> dict[str, Any]:
    return dict(row[length]) if len(row) > length else {}


def rows_of_day(story: Story, day: int) -> dict[str, list[dict[str, Any]]]:
    """What the files of one day hold of a story."""
    found: dict[str, list[dict[str, Any]]] = {kind: [] for kind in SHAPES}
    first_at: dict[str, Any] = {}
    for row in story.rows("people"):
        when, name, customer_id, email = row[:4]
        options = _options(row, 4)
        at = options.get("at", when)
        created = options.get("created", first_at.setdefault(name, at))
        first_at[name] = created
        if when == day:
            found["people"].append(
                {
                    "workspace_id": story.workspace,
                    "customer_id": story.own(customer_id),
                    "internal_customer_id": story.profile(name),
                    "deleted": bool(options.get("deleted")),
                    "suppressed": bool(options.get("suppressed")),
                    "created_at": instant(created),
                    "updated_at": instant(at),
                    "email_addr": story.own(email),
                }
            )
    for row in story.rows("attributes"):
        when, name, attribute, value = row[:4]
        if when == day:
            found["attributes"].append(
                {
                    "workspace_id": story.workspace,
                    "internal_customer_id": story.profile(name),
                    "attribute_name": attribute,
                    "attribute_value": story.own(value),
                    "timestamp": instant(_options(row, 4).get("at", when)),
                }
            )
    for when, delivery, name in story.rows("deliveries"):
        if when == day:
            found["deliveries"].append(
                {
                    "workspace_id": story.workspace,
                    "delivery_id": f"{story.number}-{delivery}",
                    "internal_customer_id": story.profile(name),
                    "delivery_type": "email",
                    "created_at": instant(when),
                    "seq_num": 1,
                }
            )
    for row in story.rows("events"):
        when, event, customer_id, email = row[:4]
        if when == day:
            found["behavior"].append(
                {
                    "event_id": f"{story.number}-{event}",
                    "customer_id": story.own(customer_id),
                    "email": story.own(email),
                    "event_name": "order_placed",
                    "occurred_at": instant(_options(row, 4).get("at", when)),
                }
            )
    _heap_rows(story, day, found)
    return found


def _heap_rows(story: Story, day: int, found: dict[str, list[dict[str, Any]]]) -> None:
    for when, user, identity, email in story.rows("heap_users"):
        if when == day:
            found["users"].append(
                {
                    "user_id": user,
                    "identity": story.own(identity),
                    "email": story.own(email),
                    "joindate": instant(when),
                    "last_modified": instant(when),
                }
            )
    for when, user, library in story.rows("heap_sessions"):
        if when == day:
            found["sessions"].append(
                {
                    "session_id": user * 10 + day,
                    "user_id": user,
                    "time": instant(when),
                    "library": library,
                    "platform": "desktop",
                }
            )
    for when, start, end in story.rows("heap_migrations"):
        if when == day:
            found["user_migrations"].append(
                {"from_user_id": start, "to_user_id": end, "time": instant(when)}
            )


def write_day(folder: Path, stories: list[Story], day: int) -> Path:
    """Write the files that arrive on one day; returns their folder."""
    target = folder / f"day_{day}"
    (target / "heap").mkdir(parents=True, exist_ok=True)
    names = {
        "behavior": f"behavior_{day}.parquet",
        "users": f"heap/users_{day}.parquet",
        "sessions": f"heap/sessions_{day}.parquet",
        "user_migrations": f"heap/user_migrations_{day}.parquet",
    }
    for kind, shape in SHAPES.items():
        rows = [row for story in stories for row in rows_of_day(story, day)[kind]]
        if rows:
            table = pa.Table.from_pylist(rows, schema=pa.schema(list(shape.items())))
            default = f"{kind}_v5_700000_{241_600_000_000_300_000 + day}.parquet"
            pq.write_table(table, target / names.get(kind, default))
    for story in stories:
        if told := activities_of_day(story, day):
            target.joinpath(f"activities_{story.workspace}_{day}.jsonl").write_text(
                "".join(json.dumps(activity) + "\n" for activity in told), encoding="utf-8"
            )
    return target


def activities_of_day(story: Story, day: int) -> list[dict[str, Any]]:
    """What the App API tells on one day: merges, as its answers write them."""

    def own(value: Any, key: str = "") -> Any:
        if isinstance(value, dict):
            return {name: own(inner, name) for name, inner in value.items()}
        return story.profile(str(value)) if key == "cio_id" else story.own(value)

    return [
        {
            "id": story.own(activity),
            "type": "profile_merge",
            "timestamp": int((instant(options.get("at", when)) - EPOCH).total_seconds()),
            **{
                name: own(options[name])
                for name in ("customer_identifiers", "data")
                if name in options
            },
        }
        for when, activity, options in story.rows("activities")
        if when == day
    ]


def write_registries(folder: Path, stories: list[Story], ours: Path) -> Path:
    """The registries the stories need: our rules and theirs, their merges, no experiment."""
    folder.mkdir(parents=True, exist_ok=True)
    rules = ours.joinpath("identity_rules.csv").read_text(encoding="utf-8").splitlines()
    with folder.joinpath("identity_rules.csv").open("w", newline="", encoding="utf-8") as handle:
        handle.write("\n".join(rules) + "\n")
        writer = csv.DictWriter(handle, RULE_COLUMNS.split(","), lineterminator="\n")
        for story in stories:
            for rule in story.told.get("rules", []):
                decided = {"owner": "the story", "decided_on": "2026-03-01"}
                writer.writerow({"workspace_id": story.workspace, **rule, **decided})
    with folder.joinpath("identity_merges.csv").open("w", newline="", encoding="utf-8") as handle:
        out = csv.writer(handle, lineterminator="\n")
        out.writerow(["workspace_id", "primary_cio_id", "secondary_cio_id", "merged_at", "reason"])
        for story in stories:
            for day, kept, gone in story.rows("merges"):
                ids = [story.profile(kept), story.profile(gone)]
                out.writerow([story.workspace, *ids, instant(day).isoformat(), "the story"])
    for name in ("experiments", "experiment_arms"):
        header = ours.joinpath(f"{name}.csv").read_text(encoding="utf-8").splitlines()[0]
        folder.joinpath(f"{name}.csv").write_text(header + "\n", encoding="utf-8")
    return folder
