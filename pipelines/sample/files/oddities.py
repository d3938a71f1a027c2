"""What stands in real folders too: an empty file, and a family nobody has heard of."""

from __future__ import annotations

from pipelines.sample.brand import BATCHES, BRAND_WORKSPACE
from pipelines.sample.files.export import Export, file_name


def write_oddities(export: Export) -> None:
    """An empty file and a family nobody has heard of."""
    export.parquet(
        file_name("attributes", BRAND_WORKSPACE, BATCHES, 3),
        """
    select
        workspace_id::bigint as workspace_id, '' as internal_customer_id, name as attribute_name,
        value as attribute_value, held_from as "timestamp",
    from attribute_rows where false
        """,
        even_empty=True,
    )
    export.parquet(
        file_name("objects", BRAND_WORKSPACE, BATCHES),
        f"""
        select
            {BRAND_WORKSPACE}::bigint as workspace_id, 'household' as object_type,
            1::bigint as object_id,
        """,
    )
