-- What is declared and cannot be done is a row with its reason: nothing of such an audience moves.
with

audiences as (
    select * from {{ ref("audiences") }}
),

members as (
    select * from {{ ref("fct_audience_members") }}
),

memberships as (
    select * from {{ ref("fct_segment_memberships") }}
),

versions as (
    select * from {{ ref("dim_segment_versions") }}
),

arms as (
    select * from {{ ref("int_experiments__arms") }}
),

file_columns as (
    select * from {{ ref("ad_file_columns") }}
),

persons as (
    select * from {{ ref("dim_persons") }}
),

parity as (
    select * from {{ ref("fct_audience_parity") }}
),

-- whoever is in the segment of a mistyped one would be taken out of it, one and all
peopled as (
    select distinct workspace_id
    from persons
),

counted as (
    select
        audience_key,
        count(*) as count_in_segment,
        sum(case when is_member then 1 else 0 end) as count_members,
        sum(case when exclusion_reason = 'held out' then 1 else 0 end) as count_held_out,
        sum(
            case when is_member and entered_at >= {{ dbt.dateadd("day", -7, as_of()) }} then 1 else 0 end
        ) as count_entered_week
    from members
    group by audience_key
),

-- out of the version within the week, and not in again
departed as (
    select
        audiences.audience_key,
        count(distinct memberships.person_id) as count_left_week
    from audiences
    inner join memberships
        on
            audiences.segment_key = memberships.segment_key
            and audiences.version = memberships.version
            and memberships.exited_at >= {{ dbt.dateadd("day", -7, as_of()) }}
    inner join persons
        on
            memberships.person_id = persons.person_id
            and (audiences.workspace_id is null or audiences.workspace_id = persons.workspace_id)
    left join members
        on
            audiences.audience_key = members.audience_key
            and memberships.person_id = members.person_id
    where members.person_id is null
    group by audiences.audience_key
),

controlled as (
    select distinct experiment_key
    from arms
    where is_control
),

platforms as (
    select distinct platform
    from file_columns
),

-- one would remove whom the other added, or add whom the other holds out
crowded as (
    select distinct audiences.audience_key
    from audiences
    inner join audiences as neighbours
        on
            audiences.audience_key <> neighbours.audience_key
            and audiences.destination_id = neighbours.destination_id
            and (
                audiences.workspace_id is null
                or neighbours.workspace_id is null
                or audiences.workspace_id = neighbours.workspace_id
            )
    where audiences.destination = 'customerio_segment' and neighbours.destination = 'customerio_segment'
),

described as (
    select
        -- ids
        audiences.audience_key,
        audiences.workspace_id,
        audiences.segment_key,
        audiences.experiment_key,
        -- attributes
        audiences.destination,
        audiences.destination_id,
        audiences.heap_segment,
        case
            when audiences.destination = 'ads_file' then 'email'
            else coalesce(audiences.identifier_type, 'customer_id')
        end as identifier_type,
        audiences.owner,
        case
            when versions.segment_key is null then 'there is no such segment version'
            when audiences.workspace_id is not null and peopled.workspace_id is null
                then 'nobody that we know of is of its workspace'
            when audiences.experiment_key is not null and controlled.experiment_key is null
                then 'nobody declared the control of its experiment'
            when audiences.destination = 'ads_file' and platforms.platform is null
                then 'no columns are declared for its platform'
            when
                audiences.destination = 'customerio_segment'
                and (
                    length({{ without("audiences.destination_id", "[0-9]") }}) > 0
                    -- 031 and 31 would be one segment, unnoticed
                    or audiences.destination_id like '0%'
                )
                then 'its destination is no id of a segment'
            when crowded.audience_key is not null then 'another audience writes to the same segment'
            when parity.verdict = 'blocked'
                then 'Heap''s list is not like ours: ' || parity.blocked_reason
        end as blocked_reason,
        -- numbers
        audiences.version,
        cast(coalesce(counted.count_in_segment, 0) as {{ dbt.type_bigint() }}) as count_in_segment,
        cast(coalesce(counted.count_members, 0) as {{ dbt.type_bigint() }}) as count_members,
        cast(coalesce(counted.count_held_out, 0) as {{ dbt.type_bigint() }}) as count_held_out,
        cast(coalesce(counted.count_entered_week, 0) as {{ dbt.type_bigint() }}) as count_entered_week,
        cast(coalesce(departed.count_left_week, 0) as {{ dbt.type_bigint() }}) as count_left_week,
        -- dates
        audiences.expires_on
    from audiences
    left join counted
        on audiences.audience_key = counted.audience_key
    left join departed
        on audiences.audience_key = departed.audience_key
    left join versions
        on
            audiences.segment_key = versions.segment_key
            and audiences.version = versions.version
    left join controlled
        on audiences.experiment_key = controlled.experiment_key
    left join platforms
        on audiences.destination_id = platforms.platform
    left join crowded
        on audiences.audience_key = crowded.audience_key
    left join parity
        on audiences.audience_key = parity.audience_key
    left join peopled
        on audiences.workspace_id = peopled.workspace_id
)

select * from described
