-- Heap's list of an audience beside ours, counted member by member.
select
    count(*) as count_rows,
    count(*) filter (is_in_heap) as count_heap,
    count(*) filter (is_in_sql) as count_sql,
    count(*) filter (is_in_heap and is_in_sql) as count_both,
    count(*) filter (cause = 'identity') as count_identity,
    count(*) filter (cause = 'time') as count_time,
    count(*) filter (cause = 'definition') as count_definition,
    case
        when $verdict = 'not compared' then null
        when count(*) = 0 then 1.0
        else count(*) filter (is_in_heap and is_in_sql) / count(*)
    end as jaccard,
    (
        select count(*)
        from {int_audiences__heap_syncs}
        where
            heap_segment_id = $heap_segment_id
            and not is_complete
            and begun_at < $as_of - to_hours($heap_segments_cadence_hours)
    ) as count_incomplete
from {int_audiences__compared_members}
where audience_key = $audience_key
