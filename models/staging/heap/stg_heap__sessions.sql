with

sessions as (
    select * from {{ source("heap_connect", "sessions") }}
),

typed as (
    select
        cast(session_id as {{ dbt.type_string() }}) as session_id,
        cast(user_id as {{ dbt.type_string() }}) as heap_user_id,
        {{ lowered("library") }} as library,
        time as started_at
    from sessions
    where
        session_id is not null
        and user_id is not null
        and (time is null or time < {{ as_of() }})
),

ranked as (
    select
        *,
        row_number() over (
            partition by session_id, heap_user_id
            order by started_at desc nulls last, library desc nulls last
        ) as version_rank
    from typed
),

deduplicated as (
    select
        session_id,
        heap_user_id,
        library,
        started_at
    from ranked
    where version_rank = 1
)

select * from deduplicated
