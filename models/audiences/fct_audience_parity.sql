-- Fails closed: a list that is not known, or not known lately, is as bad as one that differs.
with

audiences as (
    select * from {{ ref("audiences") }}
),

lists as (
    select * from {{ ref("int_audiences__heap_lists") }}
),

compared as (
    select * from {{ ref("int_audiences__compared_members") }}
),

counted as (
    select
        audience_key,
        sum(case when is_in_heap then 1 else 0 end) as count_heap,
        sum(case when is_in_sql then 1 else 0 end) as count_sql,
        sum(case when is_in_heap and is_in_sql then 1 else 0 end) as count_both,
        sum(case when cause = 'identity' then 1 else 0 end) as count_identity,
        sum(case when cause = 'time' then 1 else 0 end) as count_time,
        sum(case when cause = 'definition' then 1 else 0 end) as count_definition,
        count(*) as count_either
    from compared
    group by audience_key
),

measured as (
    select
        audiences.audience_key,
        lists.audience_key is not null as is_compared,
        lists.heap_segment_id,
        lists.min_parity,
        {%- for count in ["heap", "sql", "both", "identity", "time", "definition"] %}
        cast(coalesce(counted.count_{{ count }}, 0) as {{ dbt.type_bigint() }}) as count_{{ count }},
        {%- endfor %}
        cast(coalesce(lists.count_incomplete, 0) as {{ dbt.type_bigint() }}) as count_incomplete,
        case
            when lists.audience_key is null then null
            when coalesce(counted.count_either, 0) = 0 then 1.0
            else cast(counted.count_both as double) / counted.count_either
        end as jaccard,
        lists.synced_at,
        lists.known_until,
        coalesce(
            lists.synced_at < {{ dbt.dateadd("hour", -1 * var("heap_segments_stale_hours"), as_of()) }}, true
        ) as is_heap_stale,
        coalesce(
            lists.known_until < {{ dbt.dateadd("hour", -1 * var("stale_after_hours"), as_of()) }}, true
        ) as is_sql_stale
    from audiences
    left join lists
        on audiences.audience_key = lists.audience_key
    left join counted
        on audiences.audience_key = counted.audience_key
),

reasoned as (
    select
        *,
        case
            when not is_compared then null
            when heap_segment_id is null then 'no sync of this segment of Heap ever came whole'
            when is_heap_stale
                then 'Heap last told its list more than {{ var("heap_segments_stale_hours") }} hours ago'
            when is_sql_stale
                then 'nothing that we know of people is younger than {{ var("stale_after_hours") }} hours'
            when jaccard < min_parity
                then
                    'the two lists differ by more than min_parity: by identity '
                    || cast(count_identity as {{ dbt.type_string() }}) || ', by time '
                    || cast(count_time as {{ dbt.type_string() }}) || ', by definition '
                    || cast(count_definition as {{ dbt.type_string() }})
        end as blocked_reason
    from measured
),

parity as (
    select
        -- ids
        audience_key,
        heap_segment_id,
        -- attributes
        case
            when not is_compared then 'not compared'
            when blocked_reason is null then 'ok'
            else 'blocked'
        end as verdict,
        blocked_reason,
        -- numbers
        count_heap,
        count_sql,
        count_both,
        count_identity,
        count_time,
        count_definition,
        count_incomplete,
        cast(jaccard as double) as jaccard,
        cast(min_parity as double) as min_parity,
        -- timestamps
        synced_at,
        known_until
    from reasoned
)

select * from parity
