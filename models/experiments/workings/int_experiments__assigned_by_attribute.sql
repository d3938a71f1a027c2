with

arms as (
    select * from {{ ref("int_experiments__arms") }}
),

attributes as (
    select * from {{ ref("stg_customerio__attributes") }}
),

subjects as (
    select * from {{ ref("stg_customerio__subjects") }}
),

seasons as (
    select distinct
        experiment_key,
        workspace_id,
        campaign_id,
        attribute_name,
        started_at,
        ended_at
    from arms
    where assignment_source = 'attribute'
),

entries as (
    select
        seasons.experiment_key,
        seasons.attribute_name,
        seasons.started_at as season_started_at,
        subjects.workspace_id,
        subjects.cio_id,
        subjects.journey_entry_id,
        subjects.started_at as entered_at
    from subjects
    inner join seasons
        on
            subjects.campaign_id = seasons.campaign_id
            and (seasons.workspace_id is null or subjects.workspace_id = seasons.workspace_id)
            and subjects.started_at >= seasons.started_at
            and (seasons.ended_at is null or subjects.started_at < seasons.ended_at)
),

held_values as (
    select
        *,
        lead(changed_at) over (
            partition by workspace_id, cio_id, attribute_name
            order by changed_at
        ) as held_to
    from attributes
    where attribute_name in (select seasons.attribute_name from seasons)
),

-- Three ways an attribute assigns: written in the season, held when the journey was entered, or,
-- where there is no journey, held when the season began.
labelled as (
    select
        seasons.experiment_key,
        held_values.workspace_id,
        held_values.cio_id,
        cast(null as {{ dbt.type_string() }}) as journey_entry_id,
        held_values.attribute_value,
        true as is_written,
        held_values.changed_at as labelled_at,
        held_values.changed_at as assigned_at
    from held_values
    inner join seasons
        on
            held_values.attribute_name = seasons.attribute_name
            and (seasons.workspace_id is null or held_values.workspace_id = seasons.workspace_id)
            and held_values.changed_at >= seasons.started_at
            and (seasons.ended_at is null or held_values.changed_at < seasons.ended_at)
    union all
    select
        entries.experiment_key,
        held_values.workspace_id,
        held_values.cio_id,
        entries.journey_entry_id,
        held_values.attribute_value,
        false as is_written,
        held_values.changed_at as labelled_at,
        entries.entered_at as assigned_at
    from entries
    inner join held_values
        on
            entries.attribute_name = held_values.attribute_name
            and entries.workspace_id = held_values.workspace_id
            and entries.cio_id = held_values.cio_id
            and entries.entered_at >= held_values.changed_at
            and (held_values.held_to is null or entries.entered_at < held_values.held_to)
            and entries.season_started_at > held_values.changed_at
    union all
    select
        seasons.experiment_key,
        held_values.workspace_id,
        held_values.cio_id,
        cast(null as {{ dbt.type_string() }}) as journey_entry_id,
        held_values.attribute_value,
        false as is_written,
        held_values.changed_at as labelled_at,
        seasons.started_at as assigned_at
    from held_values
    inner join seasons
        on
            held_values.attribute_name = seasons.attribute_name
            and seasons.campaign_id is null
            and (seasons.workspace_id is null or held_values.workspace_id = seasons.workspace_id)
            and held_values.changed_at < seasons.started_at
            and (held_values.held_to is null or held_values.held_to > seasons.started_at)
            and seasons.started_at < {{ as_of() }}
),

drawn_by_attribute as (
    select
        labelled.experiment_key,
        labelled.workspace_id,
        labelled.cio_id,
        labelled.journey_entry_id,
        arms.arm,
        arms.allocation_version,
        arms.assignment_source,
        cast(labelled.workspace_id as {{ dbt.type_string() }}) || ':' || labelled.cio_id || ':'
        || cast(labelled.labelled_at as {{ dbt.type_string() }}) || ':'
        || coalesce(labelled.journey_entry_id, '')
            as source_key,
        cast(null as {{ dbt.type_string() }}) as unplaced_reason,
        labelled.assigned_at
    from labelled
    inner join arms
        on
            labelled.experiment_key = arms.experiment_key
            and labelled.attribute_value = arms.attribute_value
            and labelled.assigned_at >= arms.valid_from
            and (arms.valid_to is null or labelled.assigned_at < arms.valid_to)
),

-- Only what was written in the season: a value held before may be meant for something else.
unregistered as (
    select
        labelled.experiment_key,
        labelled.workspace_id,
        labelled.cio_id,
        labelled.journey_entry_id,
        arms.arm,
        arms.allocation_version,
        'attribute' as assignment_source,
        labelled.cio_id || ':' || cast(labelled.labelled_at as {{ dbt.type_string() }})
            as source_key,
        'attribute value of no registered arm' as unplaced_reason,
        labelled.assigned_at
    from labelled
    left join arms
        on
            labelled.experiment_key = arms.experiment_key
            and labelled.attribute_value = arms.attribute_value
    where
        labelled.is_written
        and arms.arm is null
),

told as (
    select * from drawn_by_attribute
    union all
    select * from unregistered
)

select * from told
