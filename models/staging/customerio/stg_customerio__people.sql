with

people_versions as (
    select * from {{ ref("stg_customerio__people_versions") }}
),

ranked as (
    select
        *,
        row_number() over (
            partition by workspace_id, cio_id
            order by updated_at desc
        ) as version_rank
    from people_versions
),

latest as (
    select
        workspace_id,
        cio_id,
        customer_id,
        email,
        is_deleted,
        is_suppressed,
        created_at,
        updated_at
    from ranked
    where version_rank = 1
)

select * from latest
