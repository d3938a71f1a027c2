-- What the checks say of people is what the assignments show: in two arms, labelled late, after a winner.
with

assignments as (
    select * from {{ ref("fct_experiment_assignments") }}
),

health as (
    select * from {{ ref("fct_experiment_health") }}
),

counted as (
    select
        experiment_key,
        avg(cast(case when is_crossover then 1 else 0 end as double)) as crossover_rate,
        avg(cast(case when exclusion_reason = 'late_label' then 1 else 0 end as double)) as late_label,
        sum(case when exclusion_reason = 'winner_picked' then 1.0 else 0.0 end) as winner_picked
    from assignments
    group by experiment_key
),

expected as (
    {% for guardrail in ["crossover_rate", "late_label", "winner_picked"] -%}
    select
        experiment_key,
        '{{ guardrail }}' as guardrail,
        {{ guardrail }} as value
    from counted
    {{ "union all" if not loop.last }}
    {% endfor %}
)

select
    expected.experiment_key,
    expected.guardrail,
    expected.value as value_of_assignments,
    health.value
from expected
left join health
    on
        expected.experiment_key = health.experiment_key
        and expected.guardrail = health.guardrail
        and health.population = 'itt'
where
    health.value is null
    or abs(health.value - expected.value) > 1e-9
    -- of crossovers that make it invalid only those by merge or relabel are told
    and not (
        expected.guardrail = 'crossover_rate'
        and health.verdict = 'invalid'
        and health.value < expected.value
    )
