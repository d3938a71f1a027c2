with

funnel as (
    select * from {{ ref("fct_checkout_funnel") }}
),

-- Not to start a checkout is not to drop out of one: the first step stays aside.
ranked as (
    select
        -- ids
        workspace_id,
        journey_id,
        experiment_key,
        arm,
        -- attributes
        step,
        -- numbers
        count_dropped,
        row_number() over (
            partition by workspace_id, journey_id, experiment_key, arm
            order by count_dropped desc, step_number asc
        ) as step_rank
    from funnel
    where
        step_number > 1
        and count_dropped > 0
),

worst as (
    select
        workspace_id,
        journey_id,
        experiment_key,
        arm,
        step,
        count_dropped
    from ranked
    where step_rank = 1
)

select * from worst
