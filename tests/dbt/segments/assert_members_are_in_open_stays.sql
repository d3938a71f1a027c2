-- Every version counts the persons whose last stay in it has not ended.
with

versions as (
    select * from {{ ref("dim_segment_versions") }}
),

last_stays as (
    select
        segment_key,
        version,
        person_id,
        max(coalesce(exited_at, {{ forever() }})) as last_exited_at
    from {{ ref("fct_segment_memberships") }}
    group by segment_key, version, person_id
),

counted as (
    select
        segment_key,
        version,
        sum(case when last_exited_at = {{ forever() }} then 1 else 0 end) as count_inside
    from last_stays
    group by segment_key, version
)

select
    coalesce(versions.segment_key, counted.segment_key) as segment_key,
    coalesce(versions.version, counted.version) as version,
    versions.count_members,
    counted.count_inside
from versions
full outer join counted
    on
        versions.segment_key = counted.segment_key
        and versions.version = counted.version
where
    versions.count_members is null
    or versions.count_members <> coalesce(counted.count_inside, 0)
