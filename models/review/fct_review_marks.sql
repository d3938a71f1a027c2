with

segment_versions as (
    select * from {{ ref("dim_segment_versions") }}
),

arms as (
    select * from {{ ref("experiment_arms") }}
),

experiments as (
    select * from {{ ref("experiments") }}
),

identity_rules as (
    select * from {{ ref("identity_rules") }}
),

identity_migrations as (
    select * from {{ ref("identity_migrations") }}
),

united as (
    select
        valid_from as marked_at,
        cast(null as {{ dbt.type_bigint() }}) as workspace_id,
        cast(null as {{ dbt.type_string() }}) as experiment_key,
        'segment' as kind,
        segment_key || ' v' || cast(version as {{ dbt.type_string() }}) || ' came into use' as what
    from segment_versions
    union all
    select
        valid_to as marked_at,
        cast(null as {{ dbt.type_bigint() }}) as workspace_id,
        cast(null as {{ dbt.type_string() }}) as experiment_key,
        'segment' as kind,
        segment_key || ' v' || cast(version as {{ dbt.type_string() }}) || ' was retired' as what
    from segment_versions
    union all
    select
        valid_from as marked_at,
        cast(null as {{ dbt.type_bigint() }}) as workspace_id,
        experiment_key,
        'allocation' as kind,
        'allocation version ' || cast(allocation_version as {{ dbt.type_string() }})
        || ' came into force'
            as what
    from arms
    where
        is_control
        and allocation_version <> 1
    union all
    select
        cast(decided_on as timestamp) as marked_at,
        workspace_id,
        cast(null as {{ dbt.type_string() }}) as experiment_key,
        'identity' as kind,
        'identity rule of ' || identifier_type || ' was decided' as what
    from identity_rules
    union all
    select
        cast(decided_on as timestamp) as marked_at,
        workspace_id,
        cast(null as {{ dbt.type_string() }}) as experiment_key,
        'identity' as kind,
        'the primary identifier became ' || to_identifier_type as what
    from identity_migrations
    {%- for column, what in [
        ("started_at", "the experiment started"),
        ("ended_at", "the experiment ended"),
        ("analysis_at", "the declared analysis date was reached"),
    ] %}
    union all
    select
        {{ column }} as marked_at,
        workspace_id,
        experiment_key,
        '{{ "analysis" if column == "analysis_at" else "experiment" }}' as kind,
        '{{ what }}' as what
    from experiments
    {%- endfor %}
),

seen as (
    select distinct
        workspace_id,
        experiment_key,
        kind,
        what,
        kind in ('segment', 'allocation', 'identity') as is_definition,
        marked_at
    from united
    where marked_at < {{ as_of() }}
)

select * from seen
