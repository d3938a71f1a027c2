with

guardrails as (
    select * from {{ ref("int_experiments__guardrails") }}
),

current_guardrails as (
    select
        -- ids
        experiment_key,
        population,
        guardrail,
        -- attributes
        verdict,
        -- numbers
        value,
        threshold,
        -- timestamps
        read_at as as_of
    from guardrails
    where is_current
)

select * from current_guardrails
