with

entries as (
    select * from {{ ref("fct_journey_entries") }}
),

exposures as (
    select * from {{ ref("fct_message_exposures") }}
),

seen_journeys as (
    select
        workspace_id,
        journey_id,
        journey_name
    from entries
    union all
    select
        workspace_id,
        journey_id,
        journey_name
    from exposures
),

journeys as (
    select
        workspace_id,
        journey_id,
        nullif(max(journey_name), '') as journey_name
    from seen_journeys
    where journey_id is not null
    group by workspace_id, journey_id
),

subjects as (
    select
        'implementation' as subject,
        'the implementation' as subject_name,
        cast(null as {{ dbt.type_bigint() }}) as workspace_id,
        cast(null as {{ dbt.type_string() }}) as journey_id,
        cast(null as {{ dbt.type_string() }}) as journey_name
    union all
    select
        cast(workspace_id as {{ dbt.type_string() }}) || '/' || journey_id as subject,
        {{ shown_name("coalesce(journey_name, 'journey ' || journey_id)") }} as subject_name,
        workspace_id,
        journey_id,
        journey_name
    from journeys
)

select * from subjects
