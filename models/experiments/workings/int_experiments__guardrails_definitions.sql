with

arms as (
    select * from {{ ref("int_experiments__arms") }}
),

instants as (
    select * from {{ ref("int_experiments__instants") }}
),

identity_rules as (
    select * from {{ ref("identity_rules") }}
),

segment_versions as (
    select * from {{ ref("dim_segment_versions") }}
),

seasons as (
    select distinct
        experiment_key,
        workspace_id,
        started_at,
        ended_at
    from arms
),

-- A later version of a segment, or an identity rule decided inside the season.
definition_instants as (
    select
        cast(null as {{ dbt.type_bigint() }}) as workspace_id,
        cast(valid_from as timestamp) as changed_at
    from segment_versions
    where version > 1
    union all
    select
        workspace_id,
        cast(decided_on as timestamp) as changed_at
    from identity_rules
),

changes as (
    select
        seasons.experiment_key,
        definition_instants.changed_at
    from seasons
    inner join definition_instants
        on
            (
                seasons.workspace_id is null
                or definition_instants.workspace_id is null
                or seasons.workspace_id = definition_instants.workspace_id
            )
            and seasons.started_at < definition_instants.changed_at
            and (seasons.ended_at is null or seasons.ended_at > definition_instants.changed_at)
),

counted as (
    select
        instants.experiment_key,
        instants.read_at,
        'itt' as population,
        count(distinct changes.changed_at) as count_changes
    from instants
    left join changes
        on
            instants.experiment_key = changes.experiment_key
            and instants.read_at > changes.changed_at
    group by instants.experiment_key, instants.read_at
),

measured as (
    {{ guardrail_values("counted", {"definition_changed": "count_changes"}) }}
)

select * from measured
