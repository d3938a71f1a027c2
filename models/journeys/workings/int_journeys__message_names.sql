with

deliveries as (
    select * from {{ ref("stg_customerio__deliveries") }}
),

campaign_actions as (
    select * from {{ ref("stg_customerio__campaign_actions") }}
),

message_names as (
    select * from {{ ref("message_names") }}
),

app_names as (
    select * from {{ ref("stg_customerio__app_names") }}
),

messages as (
    select distinct
        workspace_id,
        {{ message_id() }} as message_id
    from deliveries
),

named as (
    select
        campaign_actions.workspace_id,
        'action:' || cast(campaign_actions.action_id as {{ dbt.type_string() }}) as message_id,
        campaign_actions.action_name as message_name,
        1 as preference,
        campaign_actions.updated_at
    from campaign_actions
    where campaign_actions.action_name is not null
    union all
    select
        messages.workspace_id,
        messages.message_id,
        message_names.message_name,
        case when message_names.workspace_id is null then 3 else 2 end as preference,
        {{ epoch() }} as updated_at
    from messages
    inner join message_names
        on
            messages.message_id = message_names.message_id
            and (
                message_names.workspace_id is null
                or messages.workspace_id = message_names.workspace_id
            )
    union all
    select
        workspace_id,
        kind || ':' || cast(thing_id as {{ dbt.type_string() }}) as message_id,
        thing_name as message_name,
        4 as preference,
        updated_at
    from app_names
    where kind in ('action', 'newsletter')
),

ranked as (
    select
        *,
        row_number() over (
            partition by workspace_id, message_id
            order by preference asc, updated_at desc, message_name asc
        ) as name_rank
    from named
),

latest as (
    select
        workspace_id,
        message_id,
        message_name
    from ranked
    where name_rank = 1
)

select * from latest
