"""A small world whose audiences are built by the models' own SQL, beside a local Customer.io.

What the models read is filled by hand; they themselves are compiled by dbt, once a session.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
from publisher_home import mark_whole
from pydantic import SecretStr

from pipelines.console import Console
from pipelines.loading import ensure_raw
from pipelines.registries import compose
from pipelines.sandbox.workspace import Profile, Workspace
from pipelines.settings import Settings

AS_OF = datetime(2026, 6, 1)
COMPILED = ("path:models/audiences", "path:models/insight")
SEGMENT = 31

MODELS = (
    "int_audiences__profiles",
    "int_audiences__sendable",
    "int_audiences__attributes",
    "int_audiences__held_out",
    "int_audiences__held_out_identifiers",
    "int_audiences__candidates",
    "fct_audience_members",
    "fct_audience_file_cells",
    "fct_audiences",
)
"""In the order in which they are built."""

TABLES = {
    "stg_customerio__people_versions": "workspace_id bigint, cio_id varchar, customer_id varchar, "
    "email varchar, is_called boolean, is_deleted boolean, is_suppressed boolean, "
    "updated_at timestamp",
    "stg_customerio__people": "workspace_id bigint, cio_id varchar, is_deleted boolean, "
    "is_suppressed boolean",
    "stg_customerio__attributes": "workspace_id bigint, cio_id varchar, attribute_name varchar, "
    "attribute_value varchar, changed_at timestamp",
    "int_identity__profiles": "workspace_id bigint, cio_id varchar, person_id varchar",
    "int_identity__known_profiles": "workspace_id bigint, cio_id varchar, created_at timestamp, "
    "first_seen_at timestamp",
    "int_identity__merges": "workspace_id bigint, primary_cio_id varchar, secondary_cio_id varchar",
    "dim_persons": "person_id varchar, workspace_id bigint, customer_id varchar, email varchar, "
    "match_status varchar",
    "map_identifiers": "workspace_id bigint, identifier_type varchar, identifier varchar, "
    "person_id varchar, valid_to timestamp",
    "fct_segment_memberships": "person_id varchar, segment_key varchar, version bigint, "
    "entered_at timestamp, exited_at timestamp",
    "dim_segment_versions": "segment_key varchar, version bigint",
    "int_segments__unsubscribed_spans": "person_id varchar, ends_at timestamp",
    "int_experiments__arms": "experiment_key varchar, arm varchar, is_control boolean, "
    "kind varchar, workspace_id bigint",
    "int_experiments__assignment_events": "experiment_key varchar, workspace_id bigint, "
    "cio_id varchar, arm varchar, unplaced_reason varchar",
    "fct_experiment_assignments": "experiment_key varchar, person_id varchar, is_control boolean",
    "fct_message_exposures": "person_id varchar, exposure_kind varchar, sent_at timestamp",
    "audiences": "audience_key varchar, workspace_id bigint, segment_key varchar, version bigint, "
    "destination varchar, destination_id varchar, identifier_type varchar, "
    "consent_attribute varchar, heap_segment varchar, min_parity double, experiment_key varchar, "
    "max_members bigint, most_messages bigint, messages_days bigint, leave_out_tired boolean, "
    "owner varchar, expires_on date",
    "fct_pressure_by_dose": "workspace_id bigint, experiment_key varchar, dose_number bigint, "
    "verdict varchar",
    "fct_audience_parity": "audience_key varchar, verdict varchar, blocked_reason varchar",
    "ad_file_columns": "platform varchar, position bigint, heading varchar, field varchar, "
    "normalisation varchar, is_hashed boolean",
}


def compiled_models(home: Path) -> dict[str, str]:
    """The SQL of the models that worlds made by hand are read with, as dbt makes it."""
    from pipelines.warehouse import invoke

    settings = settings_of(home, None)
    ensure_raw(settings)
    found = invoke(
        settings,
        compose(settings, None),
        ["compile", "--vars", f'{{"as_of": "{AS_OF}"}}', "--select", *COMPILED],
    )
    return {result.node.name: result.node.compiled_code for result in found}


def settings_of(path: Path, url: str | None) -> Settings:
    """Settings of a test home; nothing comes from the environment."""
    path.mkdir(parents=True, exist_ok=True)
    return Settings(_env_file=None).model_copy(  # type: ignore[call-arg]
        update={
            "home": path,
            "site_id": SecretStr("site-of-tests"),
            "track_api_key": SecretStr("track-key-of-tests"),
            "customerio_region": "eu",
            "track_url": url,
            "customerio_url": url,
        }
    )


@dataclass
class Human:
    """A profile: its person, what it goes by, and what is said of it."""

    cio_id: str
    person: str
    customer_id: str | None
    email: str | None
    is_deleted: bool = False
    is_in: bool = True
    consents: bool = True
    phone: str | None = None
    versions: tuple[int, ...] = (1, 2)
    arms: list[tuple[str, str]] = field(default_factory=list)


Arm = tuple[str, str, bool, str, int | None]
"""Experiment, arm, whether it is the control, the experiment's kind and workspace."""


@dataclass
class World:
    """Humans, who was merged into whom, and the registry; `build` makes the audience marts."""

    settings: Settings
    statements: Mapping[str, str]
    humans: dict[str, Human] = field(default_factory=dict)
    merges: list[tuple[str, str]] = field(default_factory=list)
    audiences: list[dict[str, Any]] = field(default_factory=list)
    arms: Sequence[Arm] = (
        ("cart", "control", True, "journey_holdout", None),
        ("cart", "shown", False, "journey_holdout", None),
        ("all", "control", True, "global_holdout", None),
    )
    console: Console = field(default_factory=lambda: Console(as_json=True))
    seen: set[str] = field(default_factory=set)
    count_merged: int = 0
    parity: list[tuple[str, str, str]] = field(default_factory=list)

    def add(self, *humans: Human) -> None:
        """New profiles."""
        for human in humans:
            self.humans[human.cio_id] = human

    def merge(self, kept: str, merged: str) -> None:
        """A merge, as Customer.io tells of it: the other one is deleted, both are one person."""
        gone, whole = self.humans[merged], self.humans[kept].person
        gone.is_deleted = True
        was = gone.person
        for human in self.humans.values():
            if human.person == was:
                human.person = whole
        self.merges.append((kept, merged))

    def tell(self, workspace: Workspace) -> None:
        """Let the local Customer.io live through what happened since it was last told."""
        for human in self.humans.values():
            known = next((p for p in workspace.profiles if p.cio_id == human.cio_id), None)
            if known is None and human.cio_id not in self.seen:
                workspace.profiles.append(Profile(human.cio_id, human.customer_id, human.email))
            elif known is not None:
                known.id, known.email = human.customer_id, human.email
            self.seen.add(human.cio_id)
        for kept, merged in self.merges[self.count_merged :]:
            workspace.merge(kept, merged)
        self.count_merged = len(self.merges)
        for human in self.humans.values():
            if human.is_deleted:
                workspace.delete(human.cio_id)

    def held_out(self, audience: Mapping[str, Any]) -> set[str]:
        """Persons who were ever drawn for a control that the audience minds, or no known arm."""
        place = audience.get("workspace_id")
        minded = {audience.get("experiment_key")} | {
            experiment
            for experiment, _, _, kind, workspace in self.arms
            if kind == "global_holdout" and (None in (place, workspace) or place == workspace)
        }
        harmless = {arm[:2] for arm in self.arms if not arm[2]}
        return {
            human.person
            for human in self.humans.values()
            for drawn in human.arms
            if drawn[0] in minded and drawn not in harmless
        }

    def names_of(self, persons: Iterable[str]) -> set[str]:
        """Every identifier that these persons go by."""
        wanted = set(persons)
        return {
            name
            for human in self.humans.values()
            if human.person in wanted
            for name in (human.cio_id, human.customer_id, (human.email or "").lower(), human.phone)
            if name
        }

    def build(self) -> None:
        """Make the marts of this world, as a build of it would."""
        path = self.settings.warehouse_path
        path.unlink(missing_ok=True)
        with duckdb.connect(str(path)) as db:
            db.execute("set enable_progress_bar = false")
            places = self._places()
            for schema in {place.split(".")[0] for place in places.values()} | {
                "heap",
                "audiences",
            }:
                db.execute(f"create schema if not exists {schema}")
            for name, columns in TABLES.items():
                db.execute(f"create table {places[name]} ({columns})")
                rows = self._rows(name)
                if rows:
                    kinds = [part.split()[1] for part in columns.split(", ")]
                    lists = ", ".join(f"unnest(?::{kind}[])" for kind in kinds)
                    values = [list(column) for column in zip(*rows, strict=True)]
                    db.execute(f"insert into {places[name]} select {lists}", values)
            db.execute("create table heap.heap_budget (budget varchar, most bigint)")
            db.execute(
                "insert into heap.heap_budget values ('uncertain answers in a row', 3), "
                "('refused rows in a hundred', 10), ('refused rows of a small run', 50)"
            )
            for name in MODELS:
                schema = "marts" if name.startswith("fct_") else "audiences"
                db.execute(f"create table {schema}.{name} as {self.statements[name]}")
        mark_whole(self.settings.home, AS_OF)

    def members(self, key: str) -> set[str]:
        """The profiles that belong into an audience."""
        return {
            row[0]
            for row in self.ask(
                f"select cio_id from marts.fct_audience_members where audience_key = '{key}' "
                "and is_member"
            )
        }

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        """Read the warehouse."""
        with duckdb.connect(str(self.settings.warehouse_path), read_only=True) as db:
            found: list[tuple[Any, ...]] = db.execute(query).fetchall()
            return found

    def ledger(self, query: str) -> list[tuple[Any, ...]]:
        """Read the ledger."""
        with duckdb.connect(str(self.settings.ledger_path), read_only=True) as db:
            found: list[tuple[Any, ...]] = db.execute(query).fetchall()
            return found

    def _places(self) -> dict[str, str]:
        """Where the models look for what they read."""
        found = {}
        for statement in self.statements.values():
            for schema, name in re.findall(r'"warehouse"\."(\w+)"\."(\w+)"', statement):
                found[name] = f"{schema}.{name}"
        return {name: found.get(name, f"marts.{name}") for name in TABLES}

    def _rows(self, name: str) -> Sequence[Sequence[object]]:
        people = list(self.humans.values())
        alive = {p.person for p in people if not p.is_deleted}
        persons = sorted({p.person for p in people})
        merged = {secondary for _, secondary in self.merges}
        inside = sorted(
            {
                (p.person, version)
                for p in people
                if p.is_in and p.cio_id not in merged
                for version in p.versions
            }
        )
        declared = {arm[:2] for arm in self.arms}
        when = datetime(2026, 1, 1)
        columns = [part.split()[0] for part in TABLES["audiences"].split(", ")]
        rows: dict[str, Sequence[Sequence[object]]] = {
            "stg_customerio__people_versions": [
                (1, p.cio_id, p.customer_id, p.email, False, p.is_deleted, False, when)
                for p in people
            ],
            "stg_customerio__people": [(1, p.cio_id, p.is_deleted, False) for p in people],
            "stg_customerio__attributes": [
                (1, p.cio_id, name, value, when)
                for p in people
                for name, value in (("ok", str(p.consents)), ("Phone Number", p.phone))
                if value
            ],
            "int_identity__profiles": [(1, p.cio_id, p.person) for p in people],
            "int_identity__known_profiles": [(1, p.cio_id, when, when) for p in people],
            "int_identity__merges": [(1, kept, gone) for kept, gone in self.merges],
            "dim_persons": [
                (p, 1, None, None, "unverified" if p in alive else "deleted") for p in persons
            ],
            "map_identifiers": [(1, "cio_id", p.cio_id, p.person, None) for p in people],
            "fct_segment_memberships": [
                (person, "s", version, when, None) for person, version in inside
            ],
            "dim_segment_versions": [("s", 1), ("s", 2)],
            "int_experiments__arms": self.arms,
            "int_experiments__assignment_events": [
                (key, 1, p.cio_id, arm, None if (key, arm) in declared else "no such arm")
                for p in people
                for key, arm in p.arms
            ],
            "audiences": [[row.get(column) for column in columns] for row in self.audiences],
            "fct_audience_parity": self.parity,
            "ad_file_columns": [
                ("meta", 1, "email", "email", "lower", True),
                ("meta", 2, "extern_id", "extern_id", None, True),
                ("tiktok", 1, "Email_SHA256", "email", "lower|no_tag", True),
                ("tiktok", 2, "Phone_SHA256", "phone", "e164", True),
                ("google", 1, "Email", "email", "lower|no_blanks", True),
                ("google", 2, "Phone", "phone", "e164", True),
            ],
        }
        return rows.get(name, [])


def audience(key: str = "sms", **changes: Any) -> dict[str, Any]:
    """A row of the registry that mirrors the segment into Customer.io."""
    return {
        "audience_key": key,
        "segment_key": "s",
        "version": 1,
        "destination": "customerio_segment",
        "destination_id": str(SEGMENT),
        "experiment_key": "cart",
        **changes,
    }


def crowd(count: int, *, control: int = 5) -> list[Human]:
    """People of one profile each; every so many is held out."""
    return [
        Human(
            f"c{i:06d}", f"p{i:06d}", f"id-{i}", f"shopper{i}@shop.example",
            arms=[("cart", "control" if i % control == 0 else "shown")],
        )
        for i in range(count)
    ]  # fmt: skip
