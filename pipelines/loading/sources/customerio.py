"""The families of Customer.io's warehouse sync, of its reporting webhooks and of its activities.

Columns and their meaning: Customer.io's "Data Warehouse Sync" export, schema versions 4 and 5, its
reporting webhooks, and `GET /v1/activities` of its App API.
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from pipelines.loading.families import (
    READERS,
    Column,
    Family,
    FileName,
    Kind,
    Reader,
    columns,
    extension,
)
from pipelines.loading.identifiers import Owner

DATASET = "customerio"
BIGINT_MAX = 2**63 - 1

WAREHOUSE_NAME = re.compile(
    r"(?P<word>[a-z][a-z_]*?)_v(?P<schema>\d{1,4})_(?:chngs_)?"
    r"(?P<workspace>\d+)_(?P<sequence>\d+)(?:_\d+)?\.parquet"
)
WEBHOOKS_NAME = re.compile(r"webhooks.*\.jsonl(?:\.gz)?", re.DOTALL)
# A key of the App API is of one workspace, and its answers do not say which: the name does.
ACTIVITIES_NAME = re.compile(
    r"activities_(?P<workspace>\d+)(?:[_.-].*)?\.jsonl(?:\.gz)?", re.DOTALL
)
NAMES_NAME = re.compile(r"app_names_(?P<workspace>\d+)_.*\.jsonl(?:\.gz)?", re.DOTALL)
SNAPSHOTS_NAME = re.compile(r"segment_snapshots_(?P<workspace>\d+)_.*\.jsonl(?:\.gz)?", re.DOTALL)


DATA_PLACES: dict[Owner, tuple[str, ...]] = {
    "cio_id": (
        "$.data.identifiers.cio_id", "$.identifiers.cio_id",
        "$.cio_id", "$.primary.cio_id", "$.secondary.cio_id",
    ),
    "customer_id": (
        "$.data.customer_id", "$.data.identifiers.id", "$.customer_id", "$.identifiers.id",
        "$.primary.id", "$.secondary.id",
    ),
    "delivery_id": ("$.data.delivery_id", "$.delivery_id"),
    "email": (
        "$.data.recipient", "$.data.identifiers.email", "$.data.email_address", "$.recipient",
        "$.identifiers.email", "$.email_address", "$.primary.email", "$.secondary.email",
    ),
}  # fmt: skip
"""Where a reporting webhook, or an activity of the App API, says whose it is."""

DATA_INSIDE: dict[str, Kind] = {
    **dict.fromkeys(
        (
            "delivery_id", "customer_id", "journey_id", "trigger_event_id",
            "identifiers.cio_id", "identifiers.id", "identifiers.email",
            "email_address", "recipient",
        ),
        "id",
    ),
    **dict.fromkeys(
        (
            "link_id", "campaign_id", "broadcast_id", "action_id", "newsletter_id", "content_id",
            "trigger_id", "transactional_message_id",
        ),
        "bigint",
    ),
    **dict.fromkeys(("proxied", "prefetched", "synthetic", "machine"), "bool"),
}  # fmt: skip
"""What models read of a reporting webhook."""

IDENTIFIERS_PLACES: dict[Owner, tuple[str, ...]] = {
    "cio_id": ("$.cio_id",),
    "customer_id": ("$.id",),
    "email": ("$.email",),
}


def _family(
    name: str,
    declared: tuple[Column, ...],
    required: str = "",
    required_any: str = "",
    not_null: str = "",
    not_null_any: str = "",
    keeps_unknown: bool = True,
) -> Family:
    return Family(
        name=name,
        dataset=DATASET,
        table=name,
        declared=declared,
        required=tuple(required.split()),
        required_any=(tuple(required_any.split()),) if required_any else (),
        not_null=tuple(not_null.split()),
        not_null_any=(tuple(not_null_any.split()),) if not_null_any else (),
        keeps_unknown=keeps_unknown,
    )


WAREHOUSE: tuple[Family, ...] = (
    _family(
        "people",
        (
            *columns("bigint", "thing", "workspace_id"),
            *columns("id", "customer_id", "customer_id"),
            *columns("id", "cio_id", "internal_customer_id"),
            *columns("word", "email", "email_addr"),
            *columns("bool", "none", "deleted suppressed"),
            *columns("timestamp", "none", "created_at updated_at"),
        ),
        required="internal_customer_id updated_at",
        not_null="internal_customer_id",
    ),
    _family(
        "attributes",
        (
            *columns("bigint", "thing", "workspace_id"),
            *columns("id", "cio_id", "internal_customer_id"),
            *columns("text", "none", "attribute_name"),
            *columns("text", "text", "attribute_value"),
            *columns("event_time", "none", "timestamp"),
        ),
        required="internal_customer_id attribute_name attribute_value timestamp",
        not_null="internal_customer_id attribute_name timestamp",
    ),
    _family(
        "campaigns",
        (
            *columns("bigint", "thing", "workspace_id campaign_id"),
            *columns("bigint", "none", "version"),
            *columns("text", "none", "name"),
            *columns("json", "none", "topic_names"),
            *columns("timestamp", "none", "created_at updated_at"),
        ),
        required="campaign_id",
        not_null="campaign_id",
    ),
    _family(
        # Seen in real buckets, columns not documented: all of these are a best guess.
        "campaign_actions",
        (
            *columns("bigint", "thing", "workspace_id campaign_id action_id"),
            *columns("text", "none", "name type"),
            *columns("timestamp", "none", "created_at updated_at"),
        ),
        required_any="workspace_id campaign_id action_id",
        not_null="action_id",
    ),
    _family(
        "broadcasts",
        (
            *columns("bigint", "thing", "workspace_id broadcast_id"),
            *columns("text", "none", "name"),
            *columns("json", "none", "topic_names"),
            *columns("timestamp", "none", "created_at updated_at"),
        ),
        required="broadcast_id",
        not_null="broadcast_id",
    ),
    _family(
        "subjects",
        (
            *columns("bigint", "thing", "workspace_id campaign_id trigger_id"),
            *columns("bigint", "none", "seq_num"),
            *columns("id", "journey", "subject_name"),
            *columns("id", "cio_id", "internal_customer_id"),
            *columns("id", "thing", "event_id"),
            *columns("text", "none", "campaign_type"),
            *columns("event_time", "none", "started_campaign_at created_at"),
        ),
        required="subject_name campaign_id",
        not_null="subject_name",
        not_null_any="started_campaign_at created_at",
    ),
    _family(
        "outputs",
        (
            *columns("bigint", "thing", "workspace_id action_id"),
            *columns("bigint", "none", "split_test_index branch_index"),
            *columns("bigint", "thing", "manual_segment_id"),
            *columns("bigint", "none", "seq_num"),
            *columns("id", "thing", "output_id"),
            *columns("id", "journey", "subject_name"),
            *columns("id", "delivery_id", "delivery_id"),
            *columns("text", "none", "output_type"),
            *columns("text", "text", "explanation"),
            *columns("bool", "none", "draft link_tracked add_to_manual_segment"),
            *columns("timestamp", "none", "delay_ends_at"),
            *columns("event_time", "none", "created_at"),
        ),
        required="output_id subject_name",
        not_null="output_id created_at",
    ),
    _family(
        "deliveries",
        (
            *columns(
                "bigint",
                "thing",
                "workspace_id campaign_id action_id newsletter_id"
                " content_id trigger_id transactional_message_id",
            ),
            *columns("bigint", "none", "seq_num"),
            *columns("id", "delivery_id", "delivery_id"),
            *columns("id", "cio_id", "internal_customer_id"),
            *columns("id", "journey", "subject_id"),
            *columns("id", "thing", "event_id"),
            *columns("text", "none", "delivery_type"),
            *columns("event_time", "none", "created_at"),
        ),
        required="delivery_id created_at",
        not_null="delivery_id created_at",
    ),
    _family(
        # Bodies, headers and addresses other than the recipient's never enter raw.duckdb.
        "delivery_contents",
        (
            *columns("bigint", "thing", "workspace_id"),
            *columns("id", "delivery_id", "delivery_id"),
            *columns("bigint", "thing", "campaign_id action_id newsletter_id content_id"),
            *columns("word", "email", "recipient"),
            *columns("text", "none", "type"),
        ),
        required="delivery_id",
        not_null="delivery_id",
        keeps_unknown=False,
    ),
    _family(
        "metrics",
        (
            *columns("bigint", "thing", "workspace_id link_id"),
            *columns("bigint", "none", "seq_num"),
            *columns("id", "thing", "event_id"),
            *columns("id", "delivery_id", "delivery_id"),
            *columns("word", "none", "metric"),
            *columns("text", "text", "reason link_url user_agent"),
            *columns("text", "none", "email_client inbox_domain inbox_provider mx_host"),
            *columns("bool", "none", "proxied prefetched machine"),
            *columns("event_time", "none", "created_at"),
        ),
        required="event_id delivery_id metric created_at",
        not_null="event_id delivery_id metric created_at",
    ),
    _family(
        # Seen in real buckets, columns not documented: loaded as they are, as text.
        "events",
        (
            *columns("bigint", "thing", "workspace_id"),
            *columns("id", "cio_id", "internal_customer_id"),
            *columns("id", "thing", "event_id"),
            *columns("text", "none", "event_name created_at"),
        ),
        required_any="internal_customer_id event_id event_name",
    ),
)

WEBHOOKS = Family(
    name="webhooks",
    dataset=DATASET,
    table="webhooks",
    declared=(
        *columns("bigint", "thing", "workspace_id"),
        *columns("id", "thing", "event_id"),
        *columns("text", "none", "object_type"),
        *columns("word", "none", "metric"),
        *columns("json", "text", "data", places=DATA_PLACES, inside=DATA_INSIDE),
        *columns("event_time", "none", "occurred_at"),
    ),
    not_null=("event_id", "metric", "occurred_at"),
    # The published schema of one event misspells object_type.
    aliases={"object_type": ("object_type_type",), "occurred_at": ("timestamp",)},
    keeps_unknown=False,
)

ACTIVITIES = Family(
    name="activities",
    dataset=DATASET,
    table="activities",
    declared=(
        *columns("bigint", "thing", "workspace_id"),
        *columns("id", "thing", "activity_id"),
        *columns("id", "delivery_id", "delivery_id"),
        *columns("word", "none", "activity_type"),
        *columns(
            "json",
            "text",
            "customer_identifiers",
            places=IDENTIFIERS_PLACES,
            inside={"cio_id": "id"},
        ),
        *columns(
            "json",
            "text",
            "data",
            places=DATA_PLACES,
            inside={"primary.cio_id": "id", "secondary.cio_id": "id", "primary_cio_id": "id"},
        ),
        *columns("event_time", "none", "occurred_at"),
    ),
    not_null=("activity_id", "activity_type", "occurred_at"),
    aliases={
        "activity_id": ("id",),
        "activity_type": ("type",),
        "occurred_at": ("timestamp",),
    },
    keeps_unknown=False,
)

NAMES = Family(
    name="app_names",
    dataset=DATASET,
    table="app_names",
    declared=(
        *columns("bigint", "thing", "workspace_id thing_id campaign_id"),
        *columns("text", "none", "kind name"),
        *columns("timestamp", "none", "updated_at"),
    ),
    required=("kind", "thing_id"),
    not_null=("kind", "thing_id"),
    keeps_unknown=False,
)

SNAPSHOTS = Family(
    name="segment_snapshots",
    dataset=DATASET,
    table="segment_snapshots",
    declared=(
        *columns("bigint", "thing", "workspace_id segment_id"),
        *columns("bigint", "none", "count_members"),
        *columns("text", "none", "segment_name segment_type"),
        *columns("id", "cio_id", "cio_id"),
        *columns("id", "customer_id", "customer_id"),
        *columns("word", "email", "email"),
        *columns("event_time", "none", "taken_at"),
    ),
    required=("segment_id", "taken_at"),
    not_null=("segment_id", "taken_at"),
    keeps_unknown=False,
)

_BY_NAME = {family.name: family for family in WAREHOUSE}


def recognise(path: PurePosixPath) -> FileName | None:
    """What `path` is by Customer.io's file name grammar, or None."""
    if WEBHOOKS_NAME.fullmatch(path.name):
        return FileName(WEBHOOKS, READERS[extension(path.name)])
    if match := ACTIVITIES_NAME.fullmatch(path.name):
        return _of_workspace(match["workspace"], ACTIVITIES, READERS[extension(path.name)])
    for pattern, family in ((NAMES_NAME, NAMES), (SNAPSHOTS_NAME, SNAPSHOTS)):
        if match := pattern.fullmatch(path.name):
            return _of_workspace(match["workspace"], family, READERS[extension(path.name)])
    match = WAREHOUSE_NAME.fullmatch(path.name)
    if match is None or match["word"] not in _BY_NAME:
        return None
    sequence = int(match["sequence"])
    if sequence > BIGINT_MAX:
        return None
    return _of_workspace(
        match["workspace"],
        _BY_NAME[match["word"]],
        "parquet",
        schema_version=int(match["schema"]),
        file_sequence=sequence,
    )


def _of_workspace(
    workspace: str,
    family: Family,
    reader: Reader,
    schema_version: int | None = None,
    file_sequence: int | None = None,
) -> FileName | None:
    """A file whose name says the workspace that its rows may lack."""
    number = int(workspace)
    if number > BIGINT_MAX:
        return None
    return FileName(
        family=family,
        reader=reader,
        workspace_id=number,
        constants=(("workspace_id", str(number)),),
        schema_version=schema_version,
        file_sequence=file_sequence,
    )
