with

guardrails as (
    select * from {{ ref("int_experiments__guardrails") }}
),

populations as (
    select 'itt' as population
    union all
    select 'ghost_reached' as population
),

-- A guardrail speaks of the whole experiment; a failed ratio of those reached, only of them.
pivoted as (
    select
        guardrails.experiment_key,
        populations.population,
        max(
            case
                when
                    guardrails.guardrail = 'srm'
                    and guardrails.verdict = 'invalid'
                    and guardrails.population in ('itt', populations.population)
                    then 1
                else 0
            end
        ) = 1 as has_srm,
        {%- for guardrail in contrast_guardrails() %}
        max(
            case
                when guardrails.population = 'itt' and guardrails.guardrail = '{{ guardrail }}'
                    then guardrails.verdict
            end
        ) as {{ guardrail }},
        {%- endfor %}
        guardrails.is_current,
        guardrails.read_at
    from guardrails
    cross join populations
    group by
        guardrails.experiment_key, guardrails.read_at, guardrails.is_current, populations.population
)

select * from pivoted
