-- Of each segment version and arm, whoever is told as in it is in it at as_of: the stay is open, the
-- assignment is there; and whoever is in it and may be told is told so.
{%- set segments = exported_segment_columns(with_retired=false) %}
{%- set experiments = registered_experiments() %}
with

properties as (
    select * from {{ ref("heap_user_properties") }}
),

persons as (
    select * from {{ ref("dim_persons") }}
    where is_publishable
),

memberships as (
    select * from {{ ref("fct_segment_memberships") }}
),

assignments as (
    select * from {{ ref("fct_experiment_assignments") }}
),

told as (
    {%- for segment in segments %}
    select
        person_id,
        '{{ segment.property_name }}' as property
    from properties
    where {{ segment.property_name }}
    union all
    {%- endfor %}
    {%- for experiment_key in experiments %}
    select
        person_id,
        '{{ experiment_key }}=' || cio_arm_{{ experiment_key }} as property
    from properties
    where cio_arm_{{ experiment_key }} is not null
    union all
    {%- endfor %}
    select
        cast(null as {{ dbt.type_string() }}) as person_id,
        cast(null as {{ dbt.type_string() }}) as property
    where false
),

true_now as (
    {%- for segment in segments %}
    select
        person_id,
        '{{ segment.property_name }}' as property
    from memberships
    where
        segment_key = '{{ segment.segment_key }}'
        and version = {{ segment.version }}
        and exited_at is null
    union all
    {%- endfor %}
    select
        person_id,
        experiment_key || '=' || arm as property
    from assignments
),

due as (
    select
        true_now.person_id,
        true_now.property
    from true_now
    inner join persons
        on true_now.person_id = persons.person_id
)

select
    coalesce(told.person_id, due.person_id) as person_id,
    coalesce(told.property, due.property) as property,
    told.person_id is not null as is_told,
    due.person_id is not null as is_true
from told
full outer join due
    on
        told.person_id = due.person_id
        and told.property = due.property
where
    told.person_id is null
    or due.person_id is null
