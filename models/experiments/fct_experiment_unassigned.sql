with

arms as (
    select * from {{ ref("int_experiments__arms") }}
),

assignment_events as (
    select * from {{ ref("int_experiments__assignment_events") }}
),

profiles as (
    select * from {{ ref("int_identity__profiles") }}
),

outputs as (
    select * from {{ ref("stg_customerio__outputs") }}
),

subjects as (
    select * from {{ ref("stg_customerio__subjects") }}
),

attributes as (
    select * from {{ ref("stg_customerio__attributes") }}
),

seasons as (
    select distinct
        experiment_key,
        workspace_id,
        campaign_id,
        split_action_id,
        assignment_source,
        attribute_name,
        started_at,
        ended_at
    from arms
),

nobody as (
    select
        assignment_events.experiment_key,
        assignment_events.workspace_id,
        assignment_events.source_key,
        'nobody to resolve' as reason,
        assignment_events.assigned_at as observed_at
    from assignment_events
    left join profiles
        on
            assignment_events.workspace_id = profiles.workspace_id
            and assignment_events.cio_id = profiles.cio_id
    where profiles.person_id is null
),

-- The open question of the index base shows here: indices that no arm registers.
unregistered_indices as (
    select distinct
        seasons.experiment_key,
        outputs.workspace_id,
        outputs.output_id as source_key,
        'index of no registered arm' as reason,
        outputs.created_at as observed_at
    from outputs
    inner join seasons
        on
            (outputs.action_id = seasons.split_action_id or seasons.split_action_id is null)
            and (seasons.workspace_id is null or outputs.workspace_id = seasons.workspace_id)
            and (
                (seasons.assignment_source = 'split' and outputs.split_test_index is not null)
                or (seasons.assignment_source = 'branch' and outputs.branch_index is not null)
            )
            and outputs.created_at >= seasons.started_at
            and (seasons.ended_at is null or outputs.created_at < seasons.ended_at)
    left join subjects
        on
            outputs.workspace_id = subjects.workspace_id
            and outputs.journey_entry_id = subjects.journey_entry_id
    left join assignment_events
        on
            seasons.experiment_key = assignment_events.experiment_key
            and outputs.output_id = assignment_events.source_key
    where
        assignment_events.source_key is null
        and (
            seasons.campaign_id is null
            or subjects.campaign_id = seasons.campaign_id
            or (subjects.campaign_id is null and seasons.split_action_id is not null)
        )
),

unregistered_values as (
    select
        seasons.experiment_key,
        attributes.workspace_id,
        concat(
            attributes.cio_id, ':', cast(attributes.changed_at as {{ dbt.type_string() }})
        ) as source_key,
        'attribute value of no registered arm' as reason,
        attributes.changed_at as observed_at
    from attributes
    inner join seasons
        on
            attributes.attribute_name = seasons.attribute_name
            and seasons.assignment_source = 'attribute'
            and (seasons.workspace_id is null or attributes.workspace_id = seasons.workspace_id)
            and attributes.changed_at >= seasons.started_at
            and (seasons.ended_at is null or attributes.changed_at < seasons.ended_at)
    left join arms
        on
            seasons.experiment_key = arms.experiment_key
            and attributes.attribute_value = arms.attribute_value
    where arms.arm is null
),

united as (
    select * from nobody
    union all
    select * from unregistered_indices
    union all
    select * from unregistered_values
),

distinct_rows as (
    select distinct * from united
)

select * from distinct_rows
