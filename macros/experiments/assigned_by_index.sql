{% macro assigned_by_index(source, index) -%}
    {#- The steps of `outputs` that recorded an index of a draw, and the arm that registers it. An output whose
        entry was never exported keeps its place: the workflow item names the campaign. -#}
recorded as (
    select
        arms.experiment_key,
        outputs.workspace_id,
        subjects.cio_id,
        outputs.journey_entry_id,
        arms.arm,
        arms.allocation_version,
        arms.assignment_source,
        outputs.output_id as source_key,
        coalesce(
            outputs.{{ index }} = arms.split_index
            and outputs.created_at >= arms.valid_from
            and (arms.valid_to is null or outputs.created_at < arms.valid_to),
            false
        ) as is_of_arm,
        outputs.created_at as assigned_at
    from outputs
    left join subjects
        on
            outputs.workspace_id = subjects.workspace_id
            and outputs.journey_entry_id = subjects.journey_entry_id
    inner join arms
        on
            arms.assignment_source = '{{ source }}'
            and outputs.{{ index }} is not null
            and (arms.workspace_id is null or outputs.workspace_id = arms.workspace_id)
            and (arms.split_action_id is null or outputs.action_id = arms.split_action_id)
            and (
                arms.campaign_id is null
                or subjects.campaign_id = arms.campaign_id
                or (subjects.campaign_id is null and arms.split_action_id is not null)
            )
            and outputs.created_at >= arms.started_at
            and (arms.ended_at is null or outputs.created_at < arms.ended_at)
),

placed as (
    select
        *,
        max(case when is_of_arm then 1 else 0 end) over (
            partition by experiment_key, source_key
        ) = 1 as has_arm
    from recorded
),

-- The open question of the index base shows here: indices that no arm registers.
told as (
    select
        experiment_key,
        workspace_id,
        cio_id,
        journey_entry_id,
        arm,
        allocation_version,
        assignment_source,
        source_key,
        cast(null as {{ dbt.type_string() }}) as unplaced_reason,
        assigned_at
    from placed
    where is_of_arm
    union all
    select distinct
        experiment_key,
        workspace_id,
        cio_id,
        journey_entry_id,
        cast(null as {{ dbt.type_string() }}) as arm,
        cast(null as {{ dbt.type_bigint() }}) as allocation_version,
        assignment_source,
        source_key,
        'index of no registered arm' as unplaced_reason,
        assigned_at
    from placed
    where not has_arm
)
{%- endmacro %}
