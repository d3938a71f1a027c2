with

arms as (
    select * from {{ ref("int_experiments__arms") }}
),

subjects as (
    select * from {{ ref("stg_customerio__subjects") }}
),

people_versions as (
    select * from {{ ref("stg_customerio__people_versions") }}
),

seasons as (
    select distinct
        experiment_key,
        workspace_id,
        campaign_id,
        salt,
        started_at,
        ended_at
    from arms
    where assignment_source = 'hash'
),

entries as (
    select
        seasons.experiment_key,
        seasons.salt,
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
draws as (
    select
        experiment_key,
        salt,
        workspace_id,
        cio_id,
        journey_entry_id,
        journey_entry_id as source_key,
        entered_at as assigned_at
    from entries
    where cio_id is not null
    union all
    select
        seasons.experiment_key,
        seasons.salt,
        first_seen.workspace_id,
        first_seen.cio_id,
        cast(null as {{ dbt.type_string() }}) as journey_entry_id,
        cast(first_seen.workspace_id as {{ dbt.type_string() }}) || ':' || first_seen.cio_id
            as source_key,
        greatest(seasons.started_at, first_seen.first_seen_at) as assigned_at
    from first_seen
    inner join seasons
        on
            seasons.campaign_id is null
            and (seasons.workspace_id is null or first_seen.workspace_id = seasons.workspace_id)
            and (seasons.ended_at is null or first_seen.first_seen_at < seasons.ended_at)
            and seasons.started_at < {{ as_of() }}
),

-- The key is the customer_id held before the draw; a profile first exported later has only a
-- later one.
candidates as (
    select
        draws.*,
        people_versions.customer_id,
        people_versions.updated_at <= draws.assigned_at
        and (people_versions.is_deleted or people_versions.is_suppressed) as is_gone,
        row_number() over (
            partition by draws.experiment_key, draws.source_key
            order by
                case
                    when people_versions.updated_at <= draws.assigned_at
                        then people_versions.updated_at
                end desc nulls last
        ) as state_rank,
        row_number() over (
            partition by draws.experiment_key, draws.source_key
            order by
                people_versions.customer_id is null asc,
                case
                    when people_versions.updated_at <= draws.assigned_at
                        then people_versions.updated_at
                end desc nulls last,
                people_versions.updated_at asc
        ) as key_rank
    from draws
    inner join people_versions
        on
            draws.workspace_id = people_versions.workspace_id
            and draws.cio_id = people_versions.cio_id
),

keyed as (
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
    from candidates
    group by
        experiment_key, salt, workspace_id, cio_id, journey_entry_id, source_key, assigned_at
),

bucketed as (
    select
        *,
        {{ hash_bucket("salt", "subject_key") }} as bucket
    from keyed
    where
        subject_key is not null
        and (journey_entry_id is not null or not is_gone)
),

drawn_by_hash as (
    select
        bucketed.experiment_key,
        bucketed.workspace_id,
        bucketed.cio_id,
        bucketed.journey_entry_id,
        arms.arm,
        arms.allocation_version,
        arms.assignment_source,
        bucketed.source_key,
        cast(null as {{ dbt.type_string() }}) as unplaced_reason,
        bucketed.assigned_at
    from bucketed
    inner join arms
        on
            bucketed.experiment_key = arms.experiment_key
            and bucketed.bucket >= arms.bucket_from
            and bucketed.bucket < arms.bucket_to
            and bucketed.assigned_at >= arms.valid_from
            and (arms.valid_to is null or bucketed.assigned_at < arms.valid_to)
)

select * from drawn_by_hash
