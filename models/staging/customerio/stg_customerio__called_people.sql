with

webhooks as (
    select * from {{ ref("stg_customerio__webhooks") }}
),

called_deliveries as (
    select * from {{ ref("stg_customerio__called_deliveries") }}
),

synced_workspaces as (
    select * from {{ ref("stg_customerio__synced_workspaces") }}
),

placeholders as (
    select * from {{ ref("identity_placeholders") }}
),

words as (
    {{ placeholder_words("placeholders") }}
),

-- Where the sync knows people, a body adds only whom it names without a profile: they are told
-- apart, or found, by the identifiers they hold.
identified as (
    select
        webhooks.workspace_id,
        coalesce(webhooks.cio_id, called_deliveries.cio_id, {{ called_profile("webhooks") }}) as cio_id,
        webhooks.customer_id,
        webhooks.email,
        webhooks.occurred_at,
        webhooks.learned_at
    from webhooks
    cross join words
    left join called_deliveries
        on
            webhooks.workspace_id = called_deliveries.workspace_id
            and webhooks.delivery_id = called_deliveries.delivery_id
    left join synced_workspaces
        on webhooks.workspace_id = synced_workspaces.workspace_id
    where
        webhooks.workspace_id is not null
        and (
            synced_workspaces.people_since is null
            or (webhooks.cio_id is null and called_deliveries.delivery_id is not null)
        )
),

instants as (
    select
        workspace_id,
        cio_id,
        max(customer_id) as customer_id,
        max(email) as email,
        occurred_at,
        min(learned_at) as learned_at
    from identified
    where cio_id is not null
    group by workspace_id, cio_id, occurred_at
),

-- A body that leaves an identifier out takes nothing back.
counted as (
    select
        *,
        count(customer_id) over (
            partition by workspace_id, cio_id
            order by occurred_at
        ) as customer_id_number,
        count(email) over (
            partition by workspace_id, cio_id
            order by occurred_at
        ) as email_number
    from instants
),

filled as (
    select
        workspace_id,
        cio_id,
        max(customer_id) over (partition by workspace_id, cio_id, customer_id_number) as customer_id,
        max(email) over (partition by workspace_id, cio_id, email_number) as email,
        occurred_at as updated_at,
        learned_at
    from counted
),

followed as (
    select
        *,
        lag(updated_at) over (
            partition by workspace_id, cio_id
            order by updated_at
        ) as updated_before,
        lag(customer_id) over (
            partition by workspace_id, cio_id
            order by updated_at
        ) as customer_id_before,
        lag(email) over (
            partition by workspace_id, cio_id
            order by updated_at
        ) as email_before
    from filled
),

changed as (
    select
        workspace_id,
        cio_id,
        customer_id,
        email,
        updated_at,
        learned_at
    from followed
    where
        updated_before is null
        or customer_id is distinct from customer_id_before
        or email is distinct from email_before
)

select * from changed
