{%- set counts = ["units", "persons", "shown", "shown_persons", "shown_before", "shown_after"] -%}
with

risk_sets as (
    select * from {{ ref("int_insight__risk_sets") }}
),

united as (
    {% for kind, state in message_states().items() -%}
    select
        cohort_key,
        shown_arm,
        message_id,
        timing_number,
        '{{ kind }}' as state_kind,
        {{ state }} as state,
        arm,
        allocation_version,
        metric_key,
        is_shown,
        is_shown_before,
        is_shown_after,
        is_converted,
        starts_at
    from risk_sets
    {{ "union all" if not loop.last }}
    {% endfor %}
),

counted as (
    select
        cohort_key,
        shown_arm,
        message_id,
        timing_number,
        state_kind,
        state,
        arm,
        allocation_version,
        metric_key,
        count(*) as count_units,
        sum(is_converted) as count_persons,
        sum(is_shown) as count_shown,
        sum(is_shown * is_converted) as count_shown_persons,
        sum(is_shown_before) as count_shown_before,
        sum(is_shown_after) as count_shown_after,
        min(starts_at) as first_started_at,
        max(starts_at) as last_started_at
    from united
    group by
        cohort_key,
        shown_arm,
        message_id,
        timing_number,
        state_kind,
        state,
        arm,
        allocation_version,
        metric_key
),

-- Of a cell: its own arm, all versions together, and whether anybody stands beside it.
celled as (
    select
        *,
        {%- for count in counts %}
        sum(case when arm = shown_arm then count_{{ count }} else 0 end) over (
            partition by cohort_key, shown_arm, message_id, timing_number, state_kind, state
        ) as cell_{{ count }},
        {%- endfor %}
        {%- for count in ["units", "persons"] %}
        sum(case when arm = shown_arm then count_{{ count }} else 0 end) over (
            partition by cohort_key, shown_arm, message_id, timing_number, state_kind
        ) as kind_{{ count }},
        {%- endfor %}
        sum(case when arm <> shown_arm then count_units else 0 end) over (
            partition by cohort_key, shown_arm, message_id, timing_number, state_kind, state
        ) as cell_control,
        shown_arm || '|' || message_id || '|' || cast(timing_number as {{ dbt.type_string() }})
        || '|' || state_kind || '=' || state
            as stratum
    from counted
),

-- Cause needs three things: somebody held out, nothing shown before that may have chosen who is left,
-- and the message itself to most of those whom the arm's rate is about.
judged as (
    select
        *,
        cell_control = 0 as has_no_control,
        cell_shown_before > {{ var("insight_selected_share") }} * cell_units as is_selected,
        cell_shown < {{ var("experiments_reach_minimum") }} * cell_units as is_rarely_shown
    from celled
),

based as (
    select
        *,
        case
            when has_no_control or is_selected then 'described'
            else 'held out'
        end as basis
    from judged
    where not is_rarely_shown
)

select * from based
