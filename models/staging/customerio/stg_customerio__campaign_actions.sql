with

campaign_actions as (
    select * from {{ source("customerio", "campaign_actions") }}
),

files as (
    select * from {{ ref("stg_loads__file_sequences") }}
),

typed as (
    select
        campaign_actions.workspace_id,
        campaign_actions.action_id,
        campaign_actions.name as action_name,
        coalesce(campaign_actions.updated_at, campaign_actions.created_at, {{ epoch() }}) as updated_at,
        coalesce(files.file_sequence, 0) as file_sequence
    from campaign_actions
    left join files
        on campaign_actions._source_file = files.file_name
    where
        campaign_actions.workspace_id is not null
        and campaign_actions.action_id is not null
),

ranked as (
    select
        *,
        row_number() over (
            partition by workspace_id, action_id, updated_at
            order by file_sequence desc, action_name desc nulls last
        ) as version_rank
    from typed
    where updated_at < {{ as_of() }}
),

deduplicated as (
    select
        workspace_id,
        action_id,
        action_name,
        updated_at
    from ranked
    where version_rank = 1
)

select * from deduplicated
