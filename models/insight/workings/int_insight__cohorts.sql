-- Whom a figure is about, and from when to when. One clock in all arms: from the assignment, or
-- from the first entry where nothing was drawn.
with

people as (
    select * from {{ ref("int_experiments__people") }}
),

arms as (
    select * from {{ ref("int_experiments__arms") }}
),

entries as (
    select * from {{ ref("int_journeys__entries") }}
),

seasons as (
    select distinct
        experiment_key,
        workspace_id,
        campaign_id
    from arms
),

assigned as (
    select
        'experiment:' || people.experiment_key as cohort_key,
        seasons.workspace_id,
        cast(seasons.campaign_id as {{ dbt.type_string() }}) as journey_id,
        people.experiment_key,
        people.arm,
        people.person_id,
        people.allocation_version,
        people.assigned_at as starts_at,
        people.window_ends_at as ends_at
    from people
    inner join seasons
        on people.experiment_key = seasons.experiment_key
    where
        people.exclusion_reason is null
        and people.is_mature
),

first_entries as (
    select
        workspace_id,
        journey_id,
        person_id,
        min(entered_at) as starts_at
    from entries
    where person_id is not null
    group by workspace_id, journey_id, person_id
),

undrawn as (
    select
        'journey:' || cast(first_entries.workspace_id as {{ dbt.type_string() }}) || ':'
        || coalesce(first_entries.journey_id, '')
            as cohort_key,
        first_entries.workspace_id,
        first_entries.journey_id,
        cast(null as {{ dbt.type_string() }}) as experiment_key,
        cast(null as {{ dbt.type_string() }}) as arm,
        first_entries.person_id,
        cast(1 as {{ dbt.type_bigint() }}) as allocation_version,
        first_entries.starts_at,
        {{ dbt.dateadd("hour", var("insight_funnel_hours"), "first_entries.starts_at") }} as ends_at
    from first_entries
    left join seasons
        on
            first_entries.journey_id = cast(seasons.campaign_id as {{ dbt.type_string() }})
            and (
                seasons.workspace_id is null
                or first_entries.workspace_id = seasons.workspace_id
            )
    where
        seasons.experiment_key is null
        and {{ dbt.dateadd("hour", var("insight_funnel_hours"), "first_entries.starts_at") }}
        <= {{ as_of() }}
),

united as (
    select * from assigned
    union all
    select * from undrawn
)

select * from united
