with

arms as (
    select * from {{ ref("int_experiments__arms") }}
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

people_versions as (
    select * from {{ ref("stg_customerio__people_versions") }}
),

-- An output whose entry was never exported keeps its place: the workflow item names the campaign.
steps as (
    select
        outputs.workspace_id,
        outputs.output_id,
        outputs.journey_entry_id,
        subjects.cio_id,
        subjects.campaign_id,
        outputs.action_id,
        outputs.split_test_index,
        outputs.branch_index,
        outputs.created_at
    from outputs
    left join subjects
        on
            outputs.workspace_id = subjects.workspace_id
            and outputs.journey_entry_id = subjects.journey_entry_id
    where
        outputs.split_test_index is not null
        or outputs.branch_index is not null
),

{% for source, index in [("split", "split_test_index"), ("branch", "branch_index")] %}
drawn_by_{{ source }} as (
    select
        arms.experiment_key,
        steps.workspace_id,
        steps.cio_id,
        steps.journey_entry_id,
        arms.arm,
        arms.allocation_version,
        arms.assignment_source,
        steps.output_id as source_key,
        steps.created_at as assigned_at
    from steps
    inner join arms
        on
            steps.{{ index }} = arms.split_index
            and arms.assignment_source = '{{ source }}'
            and (arms.workspace_id is null or steps.workspace_id = arms.workspace_id)
            and (arms.split_action_id is null or steps.action_id = arms.split_action_id)
            and (
                arms.campaign_id is null
                or steps.campaign_id = arms.campaign_id
                or (steps.campaign_id is null and arms.split_action_id is not null)
            )
            and steps.created_at >= arms.started_at
            and (arms.ended_at is null or steps.created_at < arms.ended_at)
            and steps.created_at >= arms.valid_from
            and (arms.valid_to is null or steps.created_at < arms.valid_to)
),

{% endfor %}
seasons as (
    select distinct
        experiment_key,
        workspace_id,
        campaign_id,
        assignment_source,
        attribute_name,
        salt,
        started_at,
        ended_at
    from arms
),

entries as (
    select
        seasons.experiment_key,
        seasons.assignment_source,
        seasons.attribute_name,
        seasons.salt,
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
    where seasons.assignment_source in ('attribute', 'hash')
),

held_values as (
    select
        *,
        lead(changed_at) over (
            partition by workspace_id, cio_id, attribute_name
            order by changed_at
        ) as held_to
    from attributes
    where attribute_name in (
        select seasons.attribute_name
        from seasons
        where seasons.assignment_source = 'attribute'
    )
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
        held_values.changed_at as labelled_at,
        held_values.changed_at as assigned_at
    from held_values
    inner join seasons
        on
            held_values.attribute_name = seasons.attribute_name
            and seasons.assignment_source = 'attribute'
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
        held_values.changed_at as labelled_at,
        entries.entered_at as assigned_at
    from entries
    inner join held_values
        on
            entries.attribute_name = held_values.attribute_name
            and entries.assignment_source = 'attribute'
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
        held_values.changed_at as labelled_at,
        seasons.started_at as assigned_at
    from held_values
    inner join seasons
        on
            held_values.attribute_name = seasons.attribute_name
            and seasons.assignment_source = 'attribute'
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
        concat(
            cast(labelled.workspace_id as {{ dbt.type_string() }}), ':',
            labelled.cio_id, ':',
            cast(labelled.labelled_at as {{ dbt.type_string() }}), ':',
            coalesce(labelled.journey_entry_id, '')
        ) as source_key,
        labelled.assigned_at
    from labelled
    inner join arms
        on
            labelled.experiment_key = arms.experiment_key
            and labelled.attribute_value = arms.attribute_value
            and labelled.assigned_at >= arms.valid_from
            and (arms.valid_to is null or labelled.assigned_at < arms.valid_to)
),

first_seen as (
    select
        workspace_id,
        cio_id,
        min(coalesce(created_at, updated_at)) as first_seen_at
    from people_versions
    group by workspace_id, cio_id
),

-- Where there is no journey to enter, everyone known is drawn: at the start of the season, or
-- when first seen.
hash_instants as (
    select
        experiment_key,
        salt,
        workspace_id,
        cio_id,
        journey_entry_id,
        journey_entry_id as source_key,
        entered_at as assigned_at
    from entries
    where
        assignment_source = 'hash'
        and cio_id is not null
    union all
    select
        seasons.experiment_key,
        seasons.salt,
        first_seen.workspace_id,
        first_seen.cio_id,
        cast(null as {{ dbt.type_string() }}) as journey_entry_id,
        concat(
            cast(first_seen.workspace_id as {{ dbt.type_string() }}), ':', first_seen.cio_id
        ) as source_key,
        greatest(seasons.started_at, first_seen.first_seen_at) as assigned_at
    from first_seen
    inner join seasons
        on
            seasons.assignment_source = 'hash'
            and seasons.campaign_id is null
            and (seasons.workspace_id is null or first_seen.workspace_id = seasons.workspace_id)
            and (seasons.ended_at is null or first_seen.first_seen_at < seasons.ended_at)
            and seasons.started_at < {{ as_of() }}
),

-- The key is the customer_id held before the draw; a profile first exported later has only a
-- later one.
hash_candidates as (
    select
        hash_instants.*,
        people_versions.customer_id,
        people_versions.updated_at <= hash_instants.assigned_at
        and (people_versions.is_deleted or people_versions.is_suppressed) as is_gone,
        row_number() over (
            partition by hash_instants.experiment_key, hash_instants.source_key
            order by
                case when people_versions.updated_at <= hash_instants.assigned_at then 0 else 1 end,
                case
                    when people_versions.updated_at <= hash_instants.assigned_at
                        then people_versions.updated_at
                end desc,
                people_versions.updated_at
        ) as state_rank,
        row_number() over (
            partition by hash_instants.experiment_key, hash_instants.source_key
            order by
                case when people_versions.customer_id is null then 1 else 0 end,
                case when people_versions.updated_at <= hash_instants.assigned_at then 0 else 1 end,
                case
                    when people_versions.updated_at <= hash_instants.assigned_at
                        then people_versions.updated_at
                end desc,
                people_versions.updated_at
        ) as key_rank
    from hash_instants
    inner join people_versions
        on
            hash_instants.workspace_id = people_versions.workspace_id
            and hash_instants.cio_id = people_versions.cio_id
),

hash_subjects as (
    select
        experiment_key,
        salt,
        workspace_id,
        cio_id,
        journey_entry_id,
        source_key,
        assigned_at,
        max(case when key_rank = 1 then customer_id end) as subject_key,
        max(case when state_rank = 1 and is_gone then 1 else 0 end) = 1 as is_gone
    from hash_candidates
    group by
        experiment_key, salt, workspace_id, cio_id, journey_entry_id, source_key, assigned_at
),

hash_buckets as (
    select
        *,
        {{ hash_bucket("salt", "subject_key") }} as bucket
    from hash_subjects
    where
        subject_key is not null
        and (journey_entry_id is not null or not is_gone)
),

drawn_by_hash as (
    select
        hash_buckets.experiment_key,
        hash_buckets.workspace_id,
        hash_buckets.cio_id,
        hash_buckets.journey_entry_id,
        arms.arm,
        arms.allocation_version,
        arms.assignment_source,
        hash_buckets.source_key,
        hash_buckets.assigned_at
    from hash_buckets
    inner join arms
        on
            hash_buckets.experiment_key = arms.experiment_key
            and hash_buckets.bucket >= arms.bucket_from
            and hash_buckets.bucket < arms.bucket_to
            and hash_buckets.assigned_at >= arms.valid_from
            and (arms.valid_to is null or hash_buckets.assigned_at < arms.valid_to)
),

united as (
    select * from drawn_by_split
    union all
    select * from drawn_by_branch
    union all
    select * from drawn_by_attribute
    union all
    select * from drawn_by_hash
)

select * from united
