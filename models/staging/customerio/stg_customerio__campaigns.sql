with

campaigns as (
    select * from {{ source("customerio", "campaigns") }}
),

files as (
    select * from {{ ref("stg_loads__file_sequences") }}
),

typed as (
    select
        campaigns.workspace_id,
        campaigns.campaign_id,
        campaigns.name as campaign_name,
        coalesce(campaigns.updated_at, campaigns.created_at, {{ epoch() }}) as updated_at,
        coalesce(files.file_sequence, 0) as file_sequence
    from campaigns
    left join files
        on campaigns._source_file = files.file_name
    where
        campaigns.workspace_id is not null
        and campaigns.campaign_id is not null
),

ranked as (
    select
        *,
        row_number() over (
            partition by workspace_id, campaign_id, updated_at
            order by file_sequence desc, campaign_name desc nulls last
        ) as version_rank
    from typed
    where updated_at < {{ as_of() }}
),

deduplicated as (
    select
        workspace_id,
        campaign_id,
        campaign_name,
        updated_at
    from ranked
    where version_rank = 1
)

select * from deduplicated
