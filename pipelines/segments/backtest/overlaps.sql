with

others as (
    select
        memberships.segment_key,
        memberships.version,
        memberships.person_id,
        memberships.entered_at,
        coalesce(memberships.exited_at, $as_of) as left_at
    from {fct_segment_memberships} as memberships
    inner join {dim_segment_versions} as versions
        on
            memberships.segment_key = versions.segment_key
            and memberships.version = versions.version
    where
        versions.is_exported
        and (versions.valid_to is null or versions.valid_to > $as_of)
        and memberships.segment_key <> $key
),

exported as (
    select
        segment_key,
        version
    from {dim_segment_versions}
    where
        is_exported
        and (valid_to is null or valid_to > $as_of)
        and segment_key <> $key
),

meetings as (
    select
        others.segment_key,
        others.version,
        stays.version as own_version,
        count(distinct stays.person_id) as count_persons
    from stays
    inner join others
        on
            stays.person_id = others.person_id
            and stays.seen_from < others.left_at
            and stays.seen_to > others.entered_at
    group by others.segment_key, others.version, stays.version
)

select
    exported.segment_key,
    exported.version,
    coalesce(max(case when meetings.own_version = $from_version then meetings.count_persons end), 0)
        as persons_from,
    coalesce(max(case when meetings.own_version = $to_version then meetings.count_persons end), 0)
        as persons_to
from exported
left join meetings
    on
        exported.segment_key = meetings.segment_key
        and exported.version = meetings.version
group by exported.segment_key, exported.version
order by exported.segment_key, exported.version
