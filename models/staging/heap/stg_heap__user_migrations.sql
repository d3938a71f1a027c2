with

user_migrations as (
    select * from {{ source("heap_connect", "user_migrations") }}
),

files as (
    select * from {{ ref("stg_loads__file_sequences") }}
),

typed as (
    select
        cast(user_migrations.from_user_id as {{ dbt.type_string() }}) as from_heap_user_id,
        cast(user_migrations.to_user_id as {{ dbt.type_string() }}) as to_heap_user_id,
        user_migrations.time as migrated_at,
        files.loaded_at as learned_at
    from user_migrations
    left join files
        on user_migrations._source_file = files.file_name
    where
        user_migrations.from_user_id is not null
        and user_migrations.to_user_id is not null
        and (user_migrations.time is null or user_migrations.time < {{ as_of() }})
),

ranked as (
    select
        *,
        min(learned_at) over (partition by from_heap_user_id) as first_learned_at,
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
        migrated_at,
        first_learned_at as learned_at
    from ranked
    where version_rank = 1
)

select * from deduplicated
