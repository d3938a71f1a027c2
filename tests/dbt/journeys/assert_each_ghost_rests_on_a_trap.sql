-- Nobody is called a ghost but by a trap that experiment_arms.csv registers.
with

ghosts as (
    select * from {{ ref("int_journeys__deliveries") }}
    where exposure_kind = 'ghost'
),

recipients as (
    select
        workspace_id,
        delivery_id,
        recipient
    from {{ ref("stg_customerio__delivery_recipients") }}
    union all
    select
        deliveries.workspace_id,
        webhooks.delivery_id,
        webhooks.recipient
    from {{ ref("stg_customerio__webhooks") }} as webhooks
    inner join {{ ref("stg_customerio__deliveries") }} as deliveries
        on webhooks.delivery_id = deliveries.delivery_id
),

experiment_arms as (
    select * from {{ ref("experiment_arms") }}
),

trapped_by_item as (
    select
        ghosts.workspace_id,
        ghosts.delivery_id
    from ghosts
    inner join experiment_arms
        on ghosts.action_id = experiment_arms.trap_action_id
),

trapped_by_mailbox as (
    select
        recipients.workspace_id,
        recipients.delivery_id
    from recipients
    inner join experiment_arms
        on recipients.recipient = {{ lowered(not_blank("experiment_arms.trap_recipient")) }}
),

trapped as (
    select * from trapped_by_item
    union
    select * from trapped_by_mailbox
)

select
    ghosts.workspace_id,
    ghosts.delivery_id
from ghosts
left join trapped
    on
        ghosts.workspace_id = trapped.workspace_id
        and ghosts.delivery_id = trapped.delivery_id
where trapped.delivery_id is null
