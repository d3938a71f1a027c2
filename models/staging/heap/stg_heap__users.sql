with

users as (
    select * from {{ source("heap_connect", "users") }}
),

ranked as (
    select
        cast(user_id as {{ dbt.type_string() }}) as heap_user_id,
        {{ not_blank("identity") }} as heap_identity,
        {{ not_blank("email") }} as email,
        row_number() over (
            partition by user_id
            order by
                last_modified desc nulls last,
                identity desc nulls last,
                email desc nulls last
        ) as version_rank
    from users
    where user_id is not null
),

deduplicated as (
    select
        heap_user_id,
        heap_identity,
        email
    from ranked
    where version_rank = 1
)

select * from deduplicated
