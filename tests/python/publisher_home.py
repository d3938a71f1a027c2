"""A home with a small warehouse and manifest in the contract's shapes, for publisher tests."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
from pydantic import SecretStr

from pipelines.console import Console
from pipelines.heap.limits import Limits
from pipelines.heap.publish import publish
from pipelines.loading import ensure_raw
from pipelines.sandbox import SandboxLimits
from pipelines.settings import PROJECT_DIR, Settings

APP = "1234567"
AS_OF = datetime(2026, 3, 1)
BUILD_ID = "build-of-a-test"

FAST = Limits(
    events_per_minute=None,
    events_per_identity_minute=None,
    backoff_seconds=0.001,
    longest_backoff_seconds=0.01,
    timeout_seconds=5.0,
)
OPEN = SandboxLimits(events_per_minute=None, events_per_identity_minute=None)

SENT = {
    "workspace_id": "bigint",
    "journey_id": "varchar",
    "journey_name": "varchar",
    "journey_entry_id": "varchar",
    "arm": "varchar",
    "segments": "varchar",
    "intent_tier": "varchar",
    "delivery_id": "varchar",
    "message_id": "varchar",
    "message_name": "varchar",
    "channel": "varchar",
    "minutes_since_trigger": "double",
}
CONVERTED = {**SENT, "goal": "varchar", "value": "decimal(18,2)"}
USERS = {
    "cio_seg_cart_v1": "boolean",
    "cio_seg_lapsed_v2": "boolean",
    "cio_arm_welcome": "varchar",
    "cio_intent_tier": "varchar",
    "cio_ltv_tier": "varchar",
    "cio_subscription_status": "varchar",
    "cio_first_order_date": "date",
    "cio_last_order_date": "date",
}
EVENT_KEYS = {
    "publish_key": "varchar",
    "heap_identity": "varchar",
    "person_id": "varchar",
    "occurred_at": "timestamp",
}
USER_KEYS = {"heap_identity": "varchar", "person_id": "varchar"}


class Home:
    """A state folder whose warehouse tests fill by hand and publish from."""

    def __init__(self, path: Path, url: str | None = None) -> None:
        self.path = path
        path.mkdir(parents=True, exist_ok=True)
        self.settings = settings(path, url)
        self.console = Console(as_json=True)
        self.models: dict[str, dict[str, Any]] = {}
        self.sql(
            "create schema if not exists heap",
            "create schema if not exists marts",
            "create table marts.dim_persons (person_id varchar, workspace_id bigint, "
            "customer_id varchar, email varchar, heap_identity varchar, "
            "heap_identity_source varchar, match_status varchar, refusal_reason varchar, "
            "is_publishable boolean, first_seen_at timestamp)",
            "create table marts.map_identifiers (workspace_id bigint, identifier_type varchar, "
            "identifier varchar, person_id varchar, valid_from timestamp, valid_to timestamp, "
            "evidence varchar)",
            "create table marts.fct_identity_match_rate (as_of timestamp, workspace_id bigint, "
            "count_persons bigint, count_identifiable bigint, identifiable_rate double, "
            "count_matched bigint, match_rate double, minimum_rate double, is_met boolean)",
            "create table marts.dim_segment_versions (segment_key varchar, version integer, "
            "valid_from timestamp, valid_to timestamp, motion varchar, owner varchar, "
            "is_exported boolean, fingerprint varchar, description varchar, count_members bigint)",
            "create table heap.heap_refusals (publish_key varchar, kind varchar, reason varchar)",
            "create table heap.heap_earlier_keys "
            "(publish_key varchar, earlier_publish_key varchar)",
            "create table heap.heap_budget (budget varchar, most bigint)",
            "insert into heap.heap_budget values ('events per month', null), "
            "('uncertain answers in a row', 3), ('refused rows in a hundred', 10), "
            "('refused rows of a small run', 50)",
            "create table marts.heap_newcomers (workspace_id bigint, choice varchar)",
            "create table marts.fct_experiment_assignments (experiment_key varchar, "
            "person_id varchar, arm varchar)",
            f"create view heap.heap_persons as {model_sql('heap_persons')}",
            "create view heap.heap_forbidden_identities as "
            f"{model_sql('heap_forbidden_identities')}",
            "insert into marts.fct_identity_match_rate "
            f"values ('{AS_OF}', 1, 10, 9, 0.9, null, null, 0.7, true)",
        )
        mark_whole(path, AS_OF)
        self.model("heap_cio_message_sent", "event", SENT, event="cio_message_sent")
        self.model("heap_cio_goal_converted", "event", CONVERTED, event="cio_goal_converted")
        self.model("heap_user_properties", "user_properties", USERS)

    def model(
        self,
        name: str,
        kind: str,
        properties: Mapping[str, str],
        *,
        contract: bool = True,
        **meta: object,
    ) -> None:
        """Declare a Heap model and make its (empty) table."""
        keys = EVENT_KEYS if kind == "event" else USER_KEYS
        columns = {**keys, **properties}
        self.sql(
            f"create or replace table heap.{name} "
            f"({', '.join(f'{c} {t}' for c, t in columns.items())})"
        )
        self.models[f"model.counterfoil.{name}"] = {
            "resource_type": "model",
            "name": name,
            "alias": name,
            "schema": "heap",
            "columns": {c: {"name": c, "data_type": t} for c, t in columns.items()},
            "config": {
                "contract": {"enforced": contract},
                "meta": {
                    "heap": {
                        "kind": kind,
                        "event": None,
                        "cadence": "realtime",
                        "reason": "tests",
                        "embargo_hours": 0,
                        "owner": "analytics",
                        "max_new_identities": None,
                        **meta,
                    }
                },
            },
        }
        write_manifest(self.path, self.models)

    def drop_model(self, name: str) -> None:
        """Undeclare a Heap model."""
        del self.models[f"model.counterfoil.{name}"]
        write_manifest(self.path, self.models)

    def built(self, as_of: datetime) -> None:
        """As if a whole build had just made these tables, at another instant."""
        mark_whole(self.path, as_of)

    def sql(self, *statements: str) -> None:
        """Run statements on the warehouse, as a build would."""
        with duckdb.connect(str(self.settings.warehouse_path)) as db:
            db.execute("set enable_progress_bar = false")
            for statement in statements:
                db.execute(statement)

    def insert(
        self, relation: str, rows: Sequence[Mapping[str, object]], *, may_be_told: bool = True
    ) -> None:
        """Insert rows by column name; a person of `dim_persons` replaces what was known of them.

        `may_be_told`: whoever a Heap mart holds is a person who may be told, as in a real build.
        """
        with duckdb.connect(str(self.settings.warehouse_path)) as db:
            for row in rows:
                if relation == "marts.dim_persons":
                    db.execute(f"delete from {relation} where person_id = ?", [row["person_id"]])
                marks = ", ".join("?" for _ in row)
                db.execute(
                    f"insert into {relation} ({', '.join(row)}) values ({marks})",
                    list(row.values()),
                )
        if relation in self.marts and may_be_told:
            self.sql(self._persons(relation))

    def sent(self, count: int, *, start: int = 0, people: int = 7) -> None:
        """Add `count` sent messages over `people` identities."""
        self.sql(
            f"""
            insert into heap.heap_cio_message_sent
            select
                'sent-' || lpad(cast(i as varchar), 9, '0'),
                'shopper' || i % {people} || '@shop.example',
                'person' || i % {people}, timestamp '2026-01-01' + to_minutes(i % 80000),
                1, '7', 'Welcome',
                'entry' || i, 'welcome=treatment', 'cart_v1||lapsed_v2', 'high', 'delivery' || i,
                'action:901', 'Hello ☃', 'email', i / 2
            from range({start}, {start + count}) as rows(i)
            """,
            self._persons("heap.heap_cio_message_sent"),
        )

    def users(self, count: int, *, in_cart: bool = True) -> None:
        """Replace the user properties by `count` identities."""
        self.sql(
            "delete from heap.heap_user_properties",
            f"""
            insert into heap.heap_user_properties
            select
                'shopper' || i || '@shop.example', 'person' || i, {in_cart}, i % 2 = 0,
                'treatment', 'high', null, 'subscribed', date '2026-01-05', date '2026-02-01'
            from range({count}) as rows(i)
            """,
            self._persons("heap.heap_user_properties"),
        )

    def seen(self, *people: str) -> None:
        """As if Heap Connect had brought users of these people's identities."""
        self.sql(
            "insert into marts.map_identifiers by name select workspace_id, person_id, "
            "'heap_identity' as identifier_type, heap_identity as identifier "
            f"from marts.dim_persons where person_id in {(*people, '')}"
        )

    def move(self) -> None:
        """As if a build had found that everybody goes by another identity."""
        for relation in ("marts.dim_persons", *sorted(self.marts)):
            self.sql(f"update {relation} set heap_identity = 'moved.' || heap_identity")

    @property
    def marts(self) -> set[str]:
        """The relations of the declared Heap models."""
        return {f"heap.{node['name']}" for node in self.models.values()}

    def _persons(self, relation: str) -> str:
        """SQL that makes whoever is in a mart a person who may be told, unless known already."""
        return f"""
            insert into marts.dim_persons by name
            select distinct
                person_id, 1 as workspace_id, heap_identity, 'unmatched' as match_status,
                true as is_publishable
            from {relation}
            where heap_identity is not null
                and person_id not in (select person_id from marts.dim_persons)
            """

    def ledger(self, query: str) -> list[tuple[Any, ...]]:
        """Read the ledger."""
        with duckdb.connect(str(self.settings.ledger_path), read_only=True) as db:
            found: list[tuple[Any, ...]] = db.execute(query).fetchall()
            return found


def told_home(folder: Path, url: str) -> Home:
    """A home that has loaded a row, and told the Heap at `url` of thirty."""
    (folder / "export").mkdir()
    (folder / "export" / "behavior.csv").write_text(
        "event_id,customer_id,email,event_name,occurred_at\n1,C1,,order,2026-01-02T00:00:00\n"
    )
    home = Home(folder / "home", url)
    home.sent(30)
    publish(home.settings, home.console, limits=FAST)
    ensure_raw(home.settings)
    return home


def model_sql(name: str) -> str:
    """A Heap model's own SQL over the tables that tests fill, for what is no more than a select."""
    text = (PROJECT_DIR / "models" / "heap" / f"{name}.sql").read_text(encoding="utf-8")
    text = text.replace("{{ new_to_heap() }}", "'new to Heap'")
    return re.sub(r'\{\{ ref\("(\w+)"\) \}\}', r"marts.\1", text)


def mark_whole(home: Path, as_of: datetime) -> None:
    """The mark that a whole build leaves, in a warehouse that tests made by hand or in parts."""
    with duckdb.connect(str(home / "warehouse.duckdb")) as db:
        db.execute(
            "create or replace table main.whole_build as "
            "select cast($1 as timestamp) as as_of, $2 as build_id, 'c' as code, 'i' as inputs",
            [as_of, BUILD_ID],
        )


def write_manifest(home: Path, nodes: Mapping[str, Any]) -> None:
    """The manifest of the build that `mark_whole` speaks of."""
    manifest = {"metadata": {"invocation_id": BUILD_ID}, "nodes": nodes}
    (home / "manifest.json").write_text(json.dumps(manifest))


def settings(path: Path, url: str | None = None) -> Settings:
    """Settings of a test home; nothing comes from the environment."""
    return Settings.model_construct(
        home=path,
        threads=2,
        memory_limit="1GB",
        heap_app_id=SecretStr(APP),
        heap_region="eu",
        heap_url=url,
        heap_api_key=SecretStr("sandbox-key"),
    )
