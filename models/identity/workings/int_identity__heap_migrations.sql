with

heap_users as (
    select * from {{ ref("int_identity__heap_users") }}
),

heap_identities as (
    select * from {{ ref("int_identity__heap_identities") }}
),

known_profiles as (
    select * from {{ ref("int_identity__known_profiles") }}
),

rules as (
    select * from {{ ref("int_identity__rules") }}
    where identifier_type = 'heap_user_id'
),

-- The profiles that Heap holds to be one user: the last holders of the identities it joined.
joined_by_heap as (
    select
        heap_identities.workspace_id,
        heap_users.surviving_heap_user_id as heap_user_id,
        heap_identities.last_cio_id as cio_id,
        max(heap_users.migrated_at) as migrated_at,
        max(heap_users.learned_at) as learned_at
    from heap_users
    inner join heap_identities
        on heap_users.heap_identity = heap_identities.heap_identity
    group by
        heap_identities.workspace_id,
        heap_users.surviving_heap_user_id,
        heap_identities.last_cio_id
),

aged as (
    select
        joined_by_heap.workspace_id,
        joined_by_heap.heap_user_id,
        joined_by_heap.cio_id,
        rules.is_linking,
        {{ is_placeholder("joined_by_heap.heap_user_id") }} as is_placeholder,
        rules.max_profiles,
        sum(case when known_profiles.is_live then 1 else 0 end) over (
            partition by joined_by_heap.workspace_id, joined_by_heap.heap_user_id
        ) as count_live_profiles,
        first_value(joined_by_heap.cio_id) over (
            partition by joined_by_heap.workspace_id, joined_by_heap.heap_user_id
            order by {{ older_first() }}
        ) as oldest_cio_id,
        max(joined_by_heap.migrated_at) over (
            partition by joined_by_heap.workspace_id, joined_by_heap.heap_user_id
        ) as migrated_at,
        max(joined_by_heap.learned_at) over (
            partition by joined_by_heap.workspace_id, joined_by_heap.heap_user_id
        ) as learned_at
    from joined_by_heap
    inner join known_profiles
        on
            joined_by_heap.workspace_id = known_profiles.workspace_id
            and joined_by_heap.cio_id = known_profiles.cio_id
    left join rules
        on joined_by_heap.workspace_id = rules.workspace_id
),

judged as (
    select
        workspace_id,
        heap_user_id,
        oldest_cio_id as left_cio_id,
        cio_id as right_cio_id,
        case
            when not coalesce(is_linking, false) then 'not a link by the rules'
            when is_placeholder then 'placeholder'
            when count_live_profiles > max_profiles then 'hub'
        end as refused_reason,
        count_live_profiles,
        max_profiles,
        migrated_at,
        learned_at
    from aged
    where cio_id <> oldest_cio_id
)

select * from judged
