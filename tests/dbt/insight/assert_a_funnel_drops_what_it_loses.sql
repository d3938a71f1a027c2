-- Whoever reached one step either reached the next or has it as the first missing one.
with

funnel as (
    select * from {{ ref("fct_checkout_funnel") }}
),

followed as (
    select
        experiment_key,
        journey_id,
        arm,
        step,
        count_persons,
        count_dropped,
        coalesce(
            lag(count_persons) over (
                partition by workspace_id, journey_id, experiment_key, arm
                order by step_number
            ),
            count_units
        ) as count_before
    from funnel
)

select *
from followed
where count_before <> count_persons + count_dropped
