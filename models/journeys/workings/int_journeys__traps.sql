with

experiments as (
    select * from {{ ref("experiments") }}
),

experiment_arms as (
    select * from {{ ref("experiment_arms") }}
),

traps as (
    select distinct
        experiments.workspace_id,
        experiments.campaign_id,
        experiment_arms.trap_action_id,
        lower({{ not_blank("experiment_arms.trap_recipient") }}) as trap_recipient
    from experiment_arms
    inner join experiments
        on experiment_arms.experiment_key = experiments.experiment_key
    where
        experiment_arms.trap_action_id is not null
        or {{ not_blank("experiment_arms.trap_recipient") }} is not null
)

select * from traps
