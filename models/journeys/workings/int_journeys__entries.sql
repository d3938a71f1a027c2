-- Where no sync tells of an entry, the messages of the journey do: it began with the first of them at
-- the latest, and one without a message is not known.
with

subjects as (
    select * from {{ ref("stg_customerio__subjects") }}
),

deliveries as (
    select * from {{ ref("stg_customerio__deliveries") }}
    where is_called
),

profiles as (
    select * from {{ ref("int_identity__profiles") }}
),

called as (
    select
        deliveries.workspace_id,
        deliveries.journey_entry_id,
        max(deliveries.cio_id) as cio_id,
        max(deliveries.campaign_id) as campaign_id,
        max(deliveries.trigger_id) as trigger_id,
        min(deliveries.created_at) as started_at
    from deliveries
    left join subjects
        on
            deliveries.workspace_id = subjects.workspace_id
            and deliveries.journey_entry_id = subjects.journey_entry_id
    where
        deliveries.journey_entry_id is not null
        and subjects.journey_entry_id is null
    group by deliveries.workspace_id, deliveries.journey_entry_id
),

united as (
    select
        workspace_id,
        journey_entry_id,
        cio_id,
        campaign_id,
        campaign_type,
        trigger_id,
        false as is_called,
        started_at
    from subjects
    union all
    select
        workspace_id,
        journey_entry_id,
        cio_id,
        campaign_id,
        cast(null as {{ dbt.type_string() }}) as campaign_type,
        trigger_id,
        true as is_called,
        started_at
    from called
),

resolved as (
    select
        united.workspace_id,
        united.journey_entry_id,
        united.cio_id,
        profiles.person_id,
        cast(united.campaign_id as {{ dbt.type_string() }}) as journey_id,
        united.campaign_type,
        united.trigger_id,
        united.is_called,
        united.started_at as entered_at
    from united
    left join profiles
        on
            united.workspace_id = profiles.workspace_id
            and united.cio_id = profiles.cio_id
)

select * from resolved
