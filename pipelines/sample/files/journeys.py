"""Passes through journeys: subjects, outputs, deliveries, metrics, what a message said."""

from __future__ import annotations

from pathlib import Path

from pipelines.sample.brand import (
    BLACK_HOLE,
    BRAND_WORKSPACE,
    BROADCAST,
    BROWSE,
    CART,
    SISTER_WORKSPACE,
    TEXT,
)
from pipelines.sample.files.export import Export, clock_type, file_name, number_type
from pipelines.sql import read_sql

SQL = Path(__file__).with_name("sql")

DOUBLED_BATCH = 3


def write_journeys(export: Export, workspace_id: int, batch: int) -> None:
    """Write a batch of what a workspace's journeys left behind."""
    clock, number = clock_type(batch), number_type(batch)
    # Rows leave once when they are made; three in a hundred leave again, a batch later and newer.
    again = f"batch = {batch - 1} and {{key}}[-2:] < '{{low}}'"

    def both(table: str, key: str, low: str) -> str:
        return f"""
        select *, 0 as again from {table}
        where workspace_id = {workspace_id} and batch = {batch}
        union all
        select *, 1 as again from {table}
        where workspace_id = {workspace_id} and {again.format(key=key, low=low)}
        """

    trigger = (
        f"case when campaign_id in ({CART}, {BROWSE}, {TEXT}) "
        "then ulid(concat('trigger:', subject_key)) end"
    )
    export.parquet(
        file_name("subjects", workspace_id, batch),
        read_sql(
            SQL / "subjects.sql",
            leaving=both(
                "(select *, batch_of(entered_at) as batch from passes)", "subject_name", "08"
            ),
            trigger_event=trigger,
            number=number,
            clock=clock,
        ),
    )
    export.parquet(
        file_name("outputs", workspace_id, batch, 500 if batch == 4 else 0),
        read_sql(
            SQL / "outputs.sql",
            leaving=both("steps", "output_id", "08"),
            number=number,
            clock=clock,
        ),
    )
    export.parquet(
        file_name("deliveries", workspace_id, batch),
        read_sql(
            SQL / "deliveries.sql",
            leaving=both("messages", "delivery_id", "Cz"),
            trigger_event=trigger,
            number=number,
            clock=clock,
            broadcast=BROADCAST,
        ),
    )
    # Files from before the flags existed have nine columns.
    flags = (
        ""
        if batch == 1
        else """proxied, prefetched, machine,
        if(prefetched, 'ExampleImageProxy/1.0', null) as user_agent,
        if(metric = 'opened' and not prefetched, 'Example Mail', null) as email_client,
        if(metric = 'delivered', 'example.com', null) as inbox_domain,
        null::varchar as inbox_provider, null::varchar as mx_host
    """
    )
    metrics = export.parquet(
        file_name("metrics", workspace_id, batch),
        read_sql(
            SQL / "metrics.sql",
            leaving=both("reactions", "event_id", "03"),
            clock=clock,
            flags=flags,
        ),
    )
    if metrics and batch == DOUBLED_BATCH and workspace_id == BRAND_WORKSPACE:
        export.again(metrics, file_name("metrics", workspace_id, batch, 5))
    if workspace_id == SISTER_WORKSPACE:
        # Only here: the address a message really went to is how the black hole shows.
        export.parquet(
            file_name("delivery_contents", workspace_id, batch),
            read_sql(
                SQL / "delivery_contents.sql",
                black_hole=BLACK_HOLE,
                workspace_id=workspace_id,
                batch=batch,
            ),
        )
