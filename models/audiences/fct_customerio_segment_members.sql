-- Nobody says when somebody entered or left: only between which looks.
with

looks as (
    select * from {{ ref("stg_customerio__segment_snapshots") }}
),

looked_at as (
    select * from {{ ref("stg_customerio__segment_snapshot_members") }}
),

identifiers as (
    select * from {{ ref("map_identifiers") }}
    where identifier_type = 'cio_id'
),

numbered as (
    select
        *,
        row_number() over (
            partition by workspace_id, segment_id
            order by taken_at
        ) as look_number,
        lag(taken_at) over (
            partition by workspace_id, segment_id
            order by taken_at
        ) as taken_before_at,
        lead(taken_at) over (
            partition by workspace_id, segment_id
            order by taken_at
        ) as taken_after_at,
        first_value(segment_name) over (
            partition by workspace_id, segment_id
            order by taken_at desc
        ) as latest_name
    from looks
),

-- several profiles may be one person, who is in while any of them is
present as (
    select distinct
        looked_at.workspace_id,
        looked_at.segment_id,
        coalesce(identifiers.person_id, 'unknown:' || md5(looked_at.cio_id)) as member_id,
        identifiers.person_id,
        numbered.look_number
    from looked_at
    inner join numbered
        on
            looked_at.workspace_id = numbered.workspace_id
            and looked_at.segment_id = numbered.segment_id
            and looked_at.taken_at = numbered.taken_at
    left join identifiers
        on
            looked_at.workspace_id = identifiers.workspace_id
            and looked_at.cio_id = identifiers.identifier
),

-- looks that follow each other without a gap are one stay
placed as (
    select
        *,
        look_number - row_number() over (
            partition by workspace_id, segment_id, member_id
            order by look_number
        ) as stay_number
    from present
),

stays as (
    select
        workspace_id,
        segment_id,
        member_id,
        person_id,
        min(look_number) as first_look,
        max(look_number) as last_look
    from placed
    group by workspace_id, segment_id, member_id, person_id, stay_number
),

members as (
    select
        -- ids
        stays.workspace_id,
        stays.segment_id,
        stays.member_id,
        stays.person_id,
        -- attributes
        first_looks.latest_name as segment_name,
        'snapshot' as evidence,
        -- timestamps
        first_looks.taken_before_at as entered_after,
        first_looks.taken_at as entered_at,
        last_looks.taken_after_at as exited_at
    from stays
    inner join numbered as first_looks
        on
            stays.workspace_id = first_looks.workspace_id
            and stays.segment_id = first_looks.segment_id
            and stays.first_look = first_looks.look_number
    inner join numbered as last_looks
        on
            stays.workspace_id = last_looks.workspace_id
            and stays.segment_id = last_looks.segment_id
            and stays.last_look = last_looks.look_number
)

select * from members
