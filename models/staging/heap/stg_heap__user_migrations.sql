with

user_migrations as (
    select * from {{ source("heap_connect", "user_migrations") }}
),

typed as (
    select
        cast(from_user_id as {{ dbt.type_string() }}) as from_heap_user_id,
        cast(to_user_id as {{ dbt.type_string() }}) as to_heap_user_id,
        time as migrated_at
    from user_migrations
    where
        from_user_id is not null
        and to_user_id is not null
        and (time is null or time < {{ as_of() }})
),

ranked as (
    select
        *,
        row_number() over (
            partition by from_heap_user_id
            order by migrated_at desc nulls last, to_heap_user_id asc
        ) as version_rank
    from typed
),

deduplicated as (
    select
        from_heap_user_id,
        to_heap_user_id,
        migrated_at
    from ranked
    where version_rank = 1
)

select * from deduplicated
