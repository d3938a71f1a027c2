with

users as (
    select * from {{ ref("stg_heap__users") }}
),

sessions as (
    select * from {{ ref("stg_heap__sessions") }}
),

user_migrations as (
    select * from {{ ref("stg_heap__user_migrations") }}
),

components as (
    select * from {{ ref("int_identity__heap_components") }}
),

known as (
    select heap_user_id from users
    union
    select from_heap_user_id as heap_user_id from user_migrations
    union
    select to_heap_user_id as heap_user_id from user_migrations
),

-- Our own calls make sessions too, so only a session that did not come by server counts.
own_sessions as (
    select
        heap_user_id,
        count(*) as count_sessions
    from sessions
    where coalesce(library, 'server') <> 'server'
    group by heap_user_id
),

-- Where a chain of migrations ends; a ring of them ends at its smallest id.
ends as (
    select
        components.component_id,
        coalesce(
            min(case when user_migrations.from_heap_user_id is null then components.node_id end),
            min(components.node_id)
        ) as surviving_heap_user_id
    from components
    left join user_migrations
        on components.node_id = user_migrations.from_heap_user_id
    group by components.component_id
),

gathered as (
    select
        known.heap_user_id,
        users.heap_identity,
        coalesce(ends.surviving_heap_user_id, known.heap_user_id) as surviving_heap_user_id,
        coalesce(own_sessions.count_sessions, 0) as count_sessions,
        user_migrations.migrated_at,
        user_migrations.learned_at
    from known
    left join users
        on known.heap_user_id = users.heap_user_id
    left join own_sessions
        on known.heap_user_id = own_sessions.heap_user_id
    left join user_migrations
        on known.heap_user_id = user_migrations.from_heap_user_id
    left join components
        on known.heap_user_id = components.node_id
    left join ends
        on components.component_id = ends.component_id
),

surviving as (
    select
        *,
        sum(count_sessions) over (partition by surviving_heap_user_id) > 0 as is_real
    from gathered
)

select * from surviving
