"""People as they appear and change: profiles, their changes, their attributes."""

from __future__ import annotations

from pathlib import Path

import duckdb

from pipelines.sample.brand import (
    ASKED_SHARE,
    BATCHES,
    BRAND_WORKSPACE,
    CONSENT_SHARE,
    EXPORT_DAYS,
)
from pipelines.sample.files.export import Export, clock_type, file_name
from pipelines.sql import read_sql

SQL = Path(__file__).with_name("sql")


def prepare(work: duckdb.DuckDBPyConnection) -> None:
    """Tables that several files draw from: profiles as they appear, and attribute changes."""
    work.execute(
        read_sql(
            SQL / "prepared.sql",
            brand=BRAND_WORKSPACE,
            asked_share=ASKED_SHARE,
            consent_share=CONSENT_SHARE,
        )
    )


def write_people(export: Export, workspace_id: int, batch: int) -> None:
    """Write a batch of profiles, changes and attributes of a workspace."""
    clock = clock_type(batch)
    export.parquet(
        file_name("people", workspace_id, batch),
        read_sql(SQL / "people.sql", workspace_id=workspace_id, batch=batch, clock=clock),
    )
    export.parquet(
        file_name("people_chngs", workspace_id, batch),
        read_sql(
            SQL / "people_chngs.sql",
            workspace_id=workspace_id,
            batch=batch,
            batch_before=batch - 1,
            batches=BATCHES,
            clock=clock,
            relisted_day=batch * EXPORT_DAYS - 7,
        ),
    )
    export.parquet(
        file_name("attributes", workspace_id, batch),
        f"""
    select
        workspace_id::bigint as workspace_id, cio_id as internal_customer_id,
        name as attribute_name, value as attribute_value, held_from::{clock} as "timestamp",
    from attribute_rows
    inner join appearing using (workspace_id, i, slot)
    where workspace_id = {workspace_id} and batch = {batch} and cio_id is not null
    order by held_from, internal_customer_id, attribute_name
        """,
    )
