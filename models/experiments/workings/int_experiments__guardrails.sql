with

guardrail_values as (
    select * from {{ ref("int_experiments__guardrail_values") }}
),

rules as (
    select * from {{ ref("int_experiments__guardrail_rules") }}
),

instants as (
    select * from {{ ref("int_experiments__instants") }}
),

limited as (
    select
        guardrail_values.experiment_key,
        guardrail_values.read_at,
        guardrail_values.population,
        rules.code as guardrail,
        rules.severity,
        rules.comparison,
        guardrail_values.value,
        coalesce(rules.threshold, guardrail_values.threshold) as threshold
    from guardrail_values
    inner join rules
        on
            guardrail_values.measure = rules.measure
            and (rules.population = 'each' or guardrail_values.population = rules.population)
),

compared as (
    select
        *,
        coalesce(
            case comparison
                when 'above' then value > threshold
                when 'at_least' then value >= threshold
                when 'below' then value < threshold
                when 'above_zero' then value > 0
            end,
            false
        ) as is_hit
    from limited
),

-- The gravest rule that is hit speaks for the guardrail; where none is, the mildest one.
ranked as (
    select
        *,
        row_number() over (
            partition by experiment_key, read_at, population, guardrail
            order by
                is_hit desc,
                (severity = 'invalid') = is_hit desc
        ) as rule_rank,
        max(threshold) over (
            partition by experiment_key, read_at, population, guardrail
        ) as other_threshold
    from compared
),

-- What has nothing to measure is told as zero.
judged as (
    select
        ranked.experiment_key,
        ranked.population,
        ranked.guardrail,
        case when ranked.is_hit then ranked.severity else 'ok' end as verdict,
        coalesce(ranked.value, 0.0) as value,
        coalesce(ranked.threshold, ranked.other_threshold) as threshold,
        instants.is_current,
        ranked.read_at
    from ranked
    inner join instants
        on
            ranked.experiment_key = instants.experiment_key
            and ranked.read_at = instants.read_at
    where ranked.rule_rank = 1
)

select * from judged
