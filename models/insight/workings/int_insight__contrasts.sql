with

arm_totals as (
    select * from {{ ref("int_insight__arm_totals") }}
),

arms as (
    select * from {{ ref("int_experiments__arms") }}
),

verdicts as (
    select * from {{ ref("int_experiments__verdicts") }}
    where is_current
),

{{ contrasts_of("arm_totals", comparisons="count_comparisons") }},

limited as (
    select
        *,
        {{ fixed_limits("contrasted") }}
    from contrasted
),

{{ estimates_of("limited") }},

-- Steps of a checkout are seen on the web: where profiles are linked more often in one arm, they are
-- also seen more often in it. Orders come from the order system. The plan counts all who were
-- assigned: at a landmark some have left.
flagged as (
    select
        estimated.*,
        {{ verdict_columns() }},
        estimated.question = 'funnel'
        and estimated.metric_key <> 'order_placed'
        and verdicts.outcome_visibility <> 'ok' as has_visibility_gap,
        {{ is_underpowered(
            "max(estimated.count_all_arms) over (partition by estimated.experiment_key)",
            "estimated.planned_n"
        ) }} as is_underpowered
    from estimated
    inner join verdicts
        on
            estimated.experiment_key = verdicts.experiment_key
            and estimated.population = verdicts.population
),

judged as (
    select
        *,
        {{ contrast_status() }} as status,
        {{ contrast_reasons() }} as reasons
    from flagged
),

summed as (
    select
        question,
        workspace_id,
        journey_id,
        experiment_key,
        population,
        stratum,
        metric_key,
        arm,
        sum(count_units) as count_units,
        sum(count_nonzero) as count_persons,
        sum(count_events) as count_events
    from arm_totals
    group by
        question, workspace_id, journey_id, experiment_key, population, stratum, metric_key, arm
),

told as (
    select
        summed.question,
        summed.workspace_id,
        summed.journey_id,
        summed.experiment_key,
        summed.population,
        summed.stratum,
        summed.metric_key,
        summed.arm,
        judged.control_arm,
        judged.interval_kind,
        {%- set is_control = "judged.experiment_key is null" %}
        {{ status_in_all_arms("summed.experiment_key", "judged.status", is_control) }} as status,
        {{ reasons_in_all_arms("summed.experiment_key", "judged.reasons", is_control) }} as reasons,
        {%- for count in ["count_units", "count_persons", "count_events"] %}
        cast(summed.{{ count }} as {{ dbt.type_bigint() }}) as {{ count }},
        {%- endfor %}
        cast(judged.count_control as {{ dbt.type_bigint() }}) as count_units_control,
        cast(judged.count_nonzero_control as {{ dbt.type_bigint() }}) as count_persons_control,
        {%- for estimate in ["difference", "difference_low", "difference_high"] %}
        case when {{ may_be_told("judged.status") }} then judged.{{ estimate }} end as {{ estimate }},
        {%- endfor %}
        coalesce(
            judged.mean_treatment, cast(summed.count_persons as double) / nullif(summed.count_units, 0)
        ) as rate,
        judged.mean_control as rate_control
    from summed
    left join judged
        on
            summed.question = judged.question
            and summed.experiment_key = judged.experiment_key
            and summed.population = judged.population
            and summed.stratum = judged.stratum
            and summed.metric_key = judged.metric_key
            and summed.arm = judged.arm
)

select * from told
