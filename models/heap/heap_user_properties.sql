-- The columns follow the graph and the registry, which the linter sees empty.
-- noqa: disable=LT02,LT09,ST11
{% set segments = exported_segment_columns() %}
{% set experiments = registered_experiments() %}

with

persons as (
    select * from {{ ref("heap_persons") }}
),

states as (
    select * from {{ ref("dim_person_states") }}
),

memberships as (
    select * from {{ ref("fct_segment_memberships") }}
),

assignments as (
    select * from {{ ref("fct_experiment_assignments") }}
),

current_segments as (
    select
        person_id
        {%- for segment in segments %},
        max(
            case
                when segment_key = '{{ segment.segment_key }}' and version = {{ segment.version }} then 1
            end
        ) as {{ segment.property_name }}
        {%- endfor %}
    from memberships
    where exited_at is null
    group by person_id
),

current_arms as (
    select
        person_id
        {%- for experiment_key in experiments %},
        max(case when experiment_key = '{{ experiment_key }}' then arm end) as cio_arm_{{ experiment_key }}
        {%- endfor %}
    from assignments
    group by person_id
),

stated as (
    select
        persons.heap_identity,
        persons.person_id,
        {%- for segment in segments %}
        {%- if segment.is_retired %}
        false as {{ segment.property_name }},
        {%- else %}
        coalesce(current_segments.{{ segment.property_name }} = 1, false) as {{ segment.property_name }},
        {%- endif %}
        {%- endfor %}
        {%- for experiment_key in experiments %}
        current_arms.cio_arm_{{ experiment_key }},
        {%- endfor %}
        states.intent_tier as cio_intent_tier,
        states.ltv_tier as cio_ltv_tier,
        states.subscription_status as cio_subscription_status,
        states.first_order_on as cio_first_order_date,
        states.last_order_on as cio_last_order_date
    from persons
    left join states
        on persons.person_id = states.person_id
    left join current_segments
        on persons.person_id = current_segments.person_id
    left join current_arms
        on persons.person_id = current_arms.person_id
    where persons.refusal_reason is null
)

select * from stated
