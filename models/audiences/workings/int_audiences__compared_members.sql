-- Who is in either list, and why in one only: the first cause that holds.
with

lists as (
    select * from {{ ref("int_audiences__heap_lists") }}
),

heap_members as (
    select * from {{ ref("fct_heap_segment_members") }}
    where exited_at is null
),

sql_members as (
    select * from {{ ref("fct_audience_members") }}
),

memberships as (
    select * from {{ ref("fct_segment_memberships") }}
),

persons as (
    select * from {{ ref("dim_persons") }}
),

both_lists as (
    select
        lists.audience_key,
        heap_members.member_id,
        heap_members.person_id,
        heap_members.entered_at as heap_entered_at,
        cast(null as timestamp) as sql_entered_at
    from lists
    inner join heap_members
        on
            lists.heap_segment_id = heap_members.heap_segment_id
            and (
                lists.workspace_id is null
                or heap_members.workspace_id is null
                or lists.workspace_id = heap_members.workspace_id
            )
    union all
    select
        lists.audience_key,
        sql_members.person_id as member_id,
        sql_members.person_id,
        cast(null as timestamp) as heap_entered_at,
        sql_members.entered_at as sql_entered_at
    from lists
    inner join sql_members
        on lists.audience_key = sql_members.audience_key
),

joined as (
    select
        audience_key,
        member_id,
        max(person_id) as person_id,
        min(heap_entered_at) as heap_entered_at,
        min(sql_entered_at) as sql_entered_at
    from both_lists
    group by audience_key, member_id
),

-- when they were last in our version, for whoever is in it no more
departed as (
    select
        lists.audience_key,
        memberships.person_id,
        max(memberships.exited_at) as exited_at
    from lists
    inner join memberships
        on
            lists.segment_key = memberships.segment_key
            and lists.version = memberships.version
    group by lists.audience_key, memberships.person_id
),

timed as (
    select
        joined.*,
        persons.heap_identity,
        persons.match_status,
        departed.exited_at,
        {{ dbt.dateadd("hour", -1 * var("heap_segments_cadence_hours"), "lists.synced_at") }} as changed_from
    from joined
    inner join lists
        on joined.audience_key = lists.audience_key
    left join persons
        on joined.person_id = persons.person_id
    left join departed
        on
            joined.audience_key = departed.audience_key
            and joined.person_id = departed.person_id
),

compared as (
    select
        audience_key,
        member_id,
        person_id,
        heap_entered_at is not null as is_in_heap,
        sql_entered_at is not null as is_in_sql,
        case
            when heap_entered_at is not null and sql_entered_at is not null then null
            when person_id is null then 'identity'
            when
                heap_entered_at is null
                and (heap_identity is null or match_status in ('unmatched', 'ambiguous', 'anonymous'))
                then 'identity'
            when heap_entered_at is null and coalesce(sql_entered_at >= changed_from, true) then 'time'
            when sql_entered_at is null and exited_at >= changed_from then 'time'
            else 'definition'
        end as cause,
        heap_entered_at,
        sql_entered_at
    from timed
)

select * from compared
