"""What segment tests stand on: a project that may be edited, and the relations segments read."""

from __future__ import annotations

import shutil
from contextlib import suppress
from pathlib import Path

import duckdb

from pipelines.settings import PROJECT_DIR, Settings

UPSTREAM = """
create schema identity; create schema registries; create schema journeys; create schema staging;
create table identity.int_identity__behavior_events (
    person_id varchar, behavior varchar, product_id varchar, category varchar,
    value decimal(18, 2), occurred_at timestamp, workspace_id bigint, event_id varchar,
    value_behavior varchar
);
create table identity.int_identity__profiles (
    workspace_id bigint, cio_id varchar, person_id varchar
);
create table registries.workspaces (workspace_id bigint, time_zone varchar);
create table journeys.int_journeys__deliveries (
    person_id varchar, sent_at timestamp, human_opened_at timestamp, human_clicked_at timestamp
);
create table journeys.int_journeys__subscription_statements (
    person_id varchar, is_unsubscribed boolean, stated_at timestamp
);
create table journeys.int_journeys__topic_statements (
    person_id varchar, topic varchar, is_subscribed boolean, stated_at timestamp
);
create table staging.stg_customerio__attributes (
    workspace_id bigint, cio_id varchar, attribute_name varchar, attribute_value varchar,
    changed_at timestamp
);
create table staging.stg_customerio__people (
    workspace_id bigint, cio_id varchar, is_suppressed boolean
)
"""


REMEMBERED = Path("target", "parsed_duckdb")


def copy_project(to: Path) -> Path:
    """A copy of the dbt project that a test may edit, with what dbt remembers of it."""
    for name in ("dbt_project.yml", "profiles.yml"):
        shutil.copy(PROJECT_DIR / name, to / name)
    for name in ("models", "macros", "seeds", "tests/dbt"):
        shutil.copytree(PROJECT_DIR / name, to / name)
    with suppress(FileNotFoundError):
        shutil.copytree(PROJECT_DIR / REMEMBERED, to / REMEMBERED)
    return to


def make_home(home: Path) -> Settings:
    """A state folder whose warehouse has the relations that segments read, empty."""
    home.mkdir(parents=True, exist_ok=True)
    settings = Settings.model_validate({"COUNTERFOIL_HOME": home})
    duckdb.connect(str(settings.raw_path)).close()
    with duckdb.connect(str(settings.warehouse_path)) as connection:
        connection.execute(UPSTREAM)
    return settings
