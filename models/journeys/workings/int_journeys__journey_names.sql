with

campaigns as (
    select * from {{ ref("stg_customerio__campaigns") }}
),

broadcasts as (
    select * from {{ ref("stg_customerio__broadcasts") }}
),

app_names as (
    select * from {{ ref("stg_customerio__app_names") }}
),

named as (
    select
        workspace_id,
        campaign_id,
        campaign_name,
        updated_at,
        1 as preference
    from campaigns
    where campaign_name is not null
    union all
    select
        workspace_id,
        broadcast_id as campaign_id,
        broadcast_name as campaign_name,
        updated_at,
        2 as preference
    from broadcasts
    where broadcast_name is not null
    union all
    select
        workspace_id,
        thing_id as campaign_id,
        thing_name as campaign_name,
        updated_at,
        3 as preference
    from app_names
    where kind = 'campaign'
),

ranked as (
    select
        workspace_id,
        cast(campaign_id as {{ dbt.type_string() }}) as journey_id,
        campaign_name as journey_name,
        row_number() over (
            partition by workspace_id, campaign_id
            order by preference asc, updated_at desc
        ) as name_rank
    from named
),

latest as (
    select
        workspace_id,
        journey_id,
        journey_name
    from ranked
    where name_rank = 1
)

select * from latest
