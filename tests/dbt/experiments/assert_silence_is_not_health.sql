-- Every reading of every experiment has a row for every measure that guardrails.csv names.
with

instants as (
    select * from {{ ref("int_experiments__instants") }}
),

guardrails as (
    select * from {{ ref("guardrails") }}
),

guardrail_values as (
    select * from {{ ref("int_experiments__guardrail_values") }}
),

measures as (
    select distinct measure
    from guardrails
    where measure is not null
)

select
    instants.experiment_key,
    instants.read_at,
    measures.measure
from instants
cross join measures
left join guardrail_values
    on
        instants.experiment_key = guardrail_values.experiment_key
        and instants.read_at = guardrail_values.read_at
        and measures.measure = guardrail_values.measure
        and guardrail_values.population = 'itt'
where guardrail_values.measure is null
