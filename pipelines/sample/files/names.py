"""Names of campaigns, actions and broadcasts."""

from __future__ import annotations

from pipelines.sample.brand import (
    ACTIONS,
    BRAND_WORKSPACE,
    BROADCAST,
    CAMPAIGNS,
    CART,
    SAMPLE_START,
    SISTER_WORKSPACE,
    WELCOME,
    WINBACK,
)
from pipelines.sample.files.export import Export, file_name


def write_names(export: Export, batch: int) -> None:
    """Campaigns, actions and broadcasts: listed at the first sync, renamed later."""
    if batch not in (1, 5):
        return
    born = f"timestamp '{SAMPLE_START:%Y-%m-%d}' - to_days(200)"
    renamed = "at_day(92)"

    def campaign_rows(workspace_id: int, names: list[tuple[int, str]]) -> str:
        return " union all ".join(
            f"""select {workspace_id}::bigint as workspace_id, {number}::bigint as campaign_id,
            '{name}' as name, {born} as created_at, {born if batch == 1 else renamed} as updated_at,
            {1 if batch == 1 else 2}::bigint as version, ['news', 'offers'] as topic_names"""
            for number, name in names
        )

    names = [(one.campaign_id, one.name) for one in CAMPAIGNS]
    if batch == 5:
        names = [(WELCOME, "Welcome series"), (WINBACK, "Winback 60 to 90 days")]
    export.parquet(
        file_name("campaigns", BRAND_WORKSPACE, batch), campaign_rows(BRAND_WORKSPACE, names)
    )
    if batch == 5:
        return
    export.parquet(
        file_name("campaigns", SISTER_WORKSPACE, batch),
        campaign_rows(SISTER_WORKSPACE, [(CART, "Cart recovery of the sister brand")]),
    )
    export.parquet(
        file_name("campaign_actions", BRAND_WORKSPACE, batch),
        " union all ".join(
            f"""select
            {BRAND_WORKSPACE}::bigint as workspace_id, {one.campaign_id}::bigint as campaign_id,
            {one.action_id}::bigint as action_id, '{one.name}' as name, '{one.kind}' as type,
            {born} as created_at, {born} as updated_at"""
            for one in ACTIONS
        ),
    )
    export.parquet(
        file_name("broadcasts", BRAND_WORKSPACE, batch),
        f"""
    select
        {BRAND_WORKSPACE}::bigint as workspace_id, {BROADCAST}::bigint as broadcast_id,
        'Delivery notice' as name, {born} as created_at, {born} as updated_at,
        ['service'] as topic_names
        """,
    )
