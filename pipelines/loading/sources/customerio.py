"""The families of Customer.io's warehouse sync, of its reporting webhooks and of its activities.

Columns and their meaning: Customer.io's "Data Warehouse Sync" export, schema versions 4 and 5, its
reporting webhooks, and `GET /v1/activities` of its App API.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from pathlib import PurePosixPath

from pipelines.loading.families import READERS, Family, FileName, Kind, Reader, extension

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


def _columns(
    bigint: str = "",
    ids: str = "",
    text: str = "",
    boolean: str = "",
    json: str = "",
    timestamp: str = "",
    event_time: str = "",
) -> dict[str, Kind]:
    groups: tuple[tuple[Kind, str], ...] = (
        ("bigint", bigint),
        ("id", ids),
        ("text", text),
        ("bool", boolean),
        ("json", json),
        ("timestamp", timestamp),
        ("event_time", event_time),
    )
    return {name: kind for kind, names in groups for name in names.split()}


def _family(
    name: str,
    columns: dict[str, Kind],
    required: str = "",
    required_any: str = "",
    keeps_unknown: bool = True,
) -> Family:
    return Family(
        name=name,
        dataset=DATASET,
        table=name,
        columns=columns,
        required=tuple(required.split()),
        required_any=(tuple(required_any.split()),) if required_any else (),
        keeps_unknown=keeps_unknown,
    )


WAREHOUSE: tuple[Family, ...] = (
    _family(
        "people",
        _columns(
            bigint="workspace_id",
            ids="customer_id internal_customer_id",
            text="email_addr",
            boolean="deleted suppressed",
            timestamp="created_at updated_at",
        ),
        required="internal_customer_id updated_at",
    ),
    _family(
        "attributes",
        _columns(
            bigint="workspace_id",
            ids="internal_customer_id",
            text="attribute_name attribute_value",
            event_time="timestamp",
        ),
        required="internal_customer_id attribute_name attribute_value timestamp",
    ),
    _family(
        "campaigns",
        _columns(
            bigint="workspace_id campaign_id version",
            text="name",
            json="topic_names",
            timestamp="created_at updated_at",
        ),
        required="campaign_id",
    ),
    _family(
        # Seen in real buckets, columns not documented: all of these are a best guess.
        "campaign_actions",
        _columns(
            bigint="workspace_id campaign_id action_id",
            text="name type",
            timestamp="created_at updated_at",
        ),
        required_any="workspace_id campaign_id action_id",
    ),
    _family(
        "broadcasts",
        _columns(
            bigint="workspace_id broadcast_id",
            text="name",
            json="topic_names",
            timestamp="created_at updated_at",
        ),
        required="broadcast_id",
    ),
    _family(
        "subjects",
        _columns(
            bigint="workspace_id campaign_id trigger_id seq_num",
            ids="subject_name internal_customer_id event_id",
            text="campaign_type",
            event_time="started_campaign_at created_at",
        ),
        required="subject_name campaign_id",
    ),
    _family(
        "outputs",
        _columns(
            bigint="workspace_id action_id split_test_index branch_index manual_segment_id seq_num",
            ids="output_id subject_name delivery_id",
            text="output_type explanation",
            boolean="draft link_tracked add_to_manual_segment",
            timestamp="delay_ends_at",
            event_time="created_at",
        ),
        required="output_id subject_name",
    ),
    _family(
        "deliveries",
        _columns(
            bigint="workspace_id campaign_id action_id newsletter_id content_id trigger_id"
            " transactional_message_id seq_num",
            ids="delivery_id internal_customer_id subject_id event_id",
            text="delivery_type",
            event_time="created_at",
        ),
        required="delivery_id created_at",
    ),
    _family(
        # Bodies, headers and addresses other than the recipient's never enter raw.duckdb.
        "delivery_contents",
        _columns(
            bigint="workspace_id delivery_id campaign_id action_id newsletter_id content_id",
            text="recipient type",
        )
        | {"delivery_id": "id"},
        required="delivery_id",
        keeps_unknown=False,
    ),
    _family(
        "metrics",
        _columns(
            bigint="workspace_id link_id seq_num",
            ids="event_id delivery_id",
            text="metric reason link_url user_agent email_client inbox_domain"
            " inbox_provider mx_host",
            boolean="proxied prefetched machine",
            event_time="created_at",
        ),
        required="event_id delivery_id metric created_at",
    ),
    _family(
        # Seen in real buckets, columns not documented: loaded as they are, as text.
        "events",
        _columns(
            bigint="workspace_id",
            ids="internal_customer_id event_id",
            text="event_name created_at",
        ),
        required_any="internal_customer_id event_id event_name",
    ),
)

WEBHOOKS = Family(
    name="webhooks",
    dataset=DATASET,
    table="webhooks",
    columns=_columns(
        bigint="workspace_id",
        ids="event_id",
        text="object_type metric",
        json="data",
        event_time="occurred_at",
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
    columns=_columns(
        bigint="workspace_id",
        ids="activity_id delivery_id",
        text="activity_type",
        json="customer_identifiers data",
        event_time="occurred_at",
    ),
    not_null=("activity_id", "activity_type", "occurred_at"),
    aliases={
        "activity_id": ("id",),
        "activity_type": ("type",),
        "occurred_at": ("timestamp",),
    },
    keeps_unknown=False,
)

_BY_NAME = {family.name: family for family in WAREHOUSE}


def recognise(path: PurePosixPath) -> FileName | None:
    """What `path` is by Customer.io's file name grammar, or None."""
    if WEBHOOKS_NAME.fullmatch(path.name):
        return FileName(WEBHOOKS, READERS[extension(path.name)])
    if match := ACTIVITIES_NAME.fullmatch(path.name):
        return _of_workspace(match["workspace"], ACTIVITIES, READERS[extension(path.name)])
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


def _of_workspace(workspace: str, family: Family, reader: Reader, **said: int) -> FileName | None:
    """A file whose name says the workspace that its rows may lack."""
    number = int(workspace)
    if number > BIGINT_MAX:
        return None
    return FileName(
        family=family,
        reader=reader,
        workspace_id=number,
        constants=(("workspace_id", str(number)),),
        **said,
    )


def verify_signature(key: str, timestamp: str | int, body: str | bytes, signature: str) -> bool:
    """Whether `signature` is the hex HMAC-SHA256 of `v0:<timestamp>:<body>` under `key`.

    Args:
        key: the webhook's signing key.
        timestamp: the header X-CIO-Timestamp, unix seconds.
        body: the raw request body, before any parsing.
        signature: the header X-CIO-Signature.
    """
    raw = body if isinstance(body, bytes) else body.encode()
    expected = hmac.new(key.encode(), b"v0:%s:%s" % (str(timestamp).encode(), raw), hashlib.sha256)
    return hmac.compare_digest(expected.hexdigest().encode(), signature.strip().lower().encode())
