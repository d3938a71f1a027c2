with

deliveries as (
    select * from {{ ref("stg_customerio__deliveries") }}
),

recipients as (
    select * from {{ ref("stg_customerio__delivery_recipients") }}
),

webhooks as (
    select * from {{ ref("stg_customerio__webhooks") }}
),

experiments as (
    select * from {{ ref("experiments") }}
),

experiment_arms as (
    select * from {{ ref("experiment_arms") }}
),

-- A trap stays a trap whatever the arm's dates: counting one trapped delivery as shown is the worst
-- mistake there is.
traps as (
    select distinct
        experiments.workspace_id,
        experiments.campaign_id,
        experiment_arms.trap_action_id,
        {{ lowered(not_blank("experiment_arms.trap_recipient")) }} as trap_recipient
    from experiment_arms
    inner join experiments
        on experiment_arms.experiment_key = experiments.experiment_key
    where
        experiment_arms.trap_action_id is not null
        or {{ not_blank("experiment_arms.trap_recipient") }} is not null
),

trapped_items as (
    select
        deliveries.workspace_id,
        deliveries.delivery_id
    from deliveries
    inner join traps
        on
            deliveries.action_id = traps.trap_action_id
            and (traps.workspace_id is null or deliveries.workspace_id = traps.workspace_id)
            and (traps.campaign_id is null or deliveries.campaign_id = traps.campaign_id)
),

trapped_mailboxes as (
    select
        recipients.workspace_id,
        recipients.delivery_id
    from recipients
    inner join traps
        on
            recipients.recipient = traps.trap_recipient
            and (traps.workspace_id is null or recipients.workspace_id = traps.workspace_id)
),

trapped_calls as (
    select
        deliveries.workspace_id,
        deliveries.delivery_id
    from webhooks
    inner join deliveries
        on webhooks.delivery_id = deliveries.delivery_id
    inner join traps
        on
            webhooks.recipient = traps.trap_recipient
            and (traps.workspace_id is null or deliveries.workspace_id = traps.workspace_id)
),

united as (
    select * from trapped_items
    union
    select * from trapped_mailboxes
    union
    select * from trapped_calls
)

select * from united
