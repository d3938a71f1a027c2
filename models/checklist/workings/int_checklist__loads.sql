with

freshness as (
    select * from {{ ref("fct_source_freshness") }}
),

gaps as (
    select * from {{ ref("fct_input_gaps") }}
),

quarantine as (
    select * from {{ ref("load_quarantine") }}
),

rejected_rows as (
    select * from {{ ref("load_rejected_rows") }}
),

-- Sources are fresh
aged_families as (
    select
        verdict,
        family || ' ' || case
            when hours_since_last_event < 2
                then {{ grouped_digits("60 * hours_since_last_event") }} || ' min'
            when hours_since_last_event < 48
                then {{ fixed_decimals("hours_since_last_event", 1) }} || ' h'
            else {{ fixed_decimals("hours_since_last_event / 24.0", 1) }} || ' days'
        end || ' old' as said,
        row_number() over (order by family) as place
    from freshness
    where verdict <> 'absent'
),

counted_families as (
    select
        count(*) as count_families,
        count(case when verdict = 'stale' then 1 end) as count_stale,
        {{ listed_text("case when verdict = 'stale' then said end", "place", ", ") }} as stale_families
    from aged_families
),

-- Nothing lacks in what comes in
ranked_gaps as (
    select
        family
        || coalesce(' ' || {{ shown_name("event_name") }}, '')
        || coalesce(' of ' || cast(workspace_id as {{ dbt.type_string() }}), '')
        || case gap when 'missing_files' then ' lacks files' else ' ' || gap end
        || ' (' || finding || ')' as said,
        row_number() over (
            order by
                gap desc,
                case when event_name is null then 0 else 1 end asc,
                family asc,
                workspace_id asc,
                event_name asc
        ) as place
    from gaps
),

counted_gaps as (
    select
        count(*) as count_gaps,
        {{ listed_text("case when place <= 3 then said end", "place", "; ") }} as first_gaps
    from ranked_gaps
),

-- No file is in quarantine
ranked_files as (
    select
        {{ shown_name("file_name") }} as said,
        row_number() over (order by file_name, reason) as place
    from quarantine
),

counted_files as (
    select
        count(*) as count_files,
        {{ listed_text("case when place <= 3 then said end", "place", ", ") }} as first_files
    from ranked_files
),

-- No line was set aside
files_with_rejected_rows as (
    select
        file_name,
        count(*) as count_rows
    from rejected_rows
    group by file_name
),

ranked_rejections as (
    select
        count_rows,
        {{ shown_name("file_name") }} as said,
        row_number() over (order by count_rows desc, file_name asc) as place
    from files_with_rejected_rows
),

counted_rejections as (
    select
        count(*) as count_files,
        coalesce(cast(sum(count_rows) as {{ dbt.type_bigint() }}), 0) as count_rows,
        {{ listed_text("case when place <= 3 then said end", "place", ", ") }} as first_files
    from ranked_rejections
),

lines as (
    select
        'freshness' as line,
        'Sources are fresh' as title,
        case
            when count_families = 0 then 'no source has events'
            else
                cast(count_families - count_stale as {{ dbt.type_string() }}) || ' of '
                || cast(count_families as {{ dbt.type_string() }}) || ' fresh'
                || case when count_stale > 0 then '; stale: ' || stale_families else '' end
        end as measured,
        case
            when count_families = 0 then 'fresh as of the build'
            else
                'none quieter than it ever was of late, nor than {{ var("stale_after_hours") }} hours, at '
                || '{{ as_of_words() }} UTC'
        end as threshold,
        {{ literal("Check the sync of that family, or build as of the export's own end (--as-of).") }}
            as advice,
        cast(count_stale as double) as value,
        cast(0 as double) as bound,
        case when count_families > 0 then count_stale = 0 end as is_met
    from counted_families
    union all
    select
        'gaps' as line,
        'Nothing lacks in what comes in' as title,
        cast(count_gaps as {{ dbt.type_string() }}) || ' gaps'
        || case when count_gaps > 0 then ': ' || first_gaps else '' end
        || case
            when count_gaps > 3 then ' and ' || cast(count_gaps - 3 as {{ dbt.type_string() }}) || ' more'
            else ''
        end as measured,
        'none' as threshold,
        'All stand in fct_input_gaps: mend the sync and load again, or waive a fall that is meant.' as advice,
        cast(count_gaps as double) as value,
        cast(0 as double) as bound,
        count_gaps = 0 as is_met
    from counted_gaps
    union all
    select
        'quarantine' as line,
        'No file is in quarantine' as title,
        cast(count_files as {{ dbt.type_string() }}) || ' files'
        || case when count_files > 0 then ': ' || first_files else '' end
        || case
            when count_files > 3 then ' and ' || cast(count_files - 3 as {{ dbt.type_string() }}) || ' more'
            else ''
        end as measured,
        'none' as threshold,
        'Their reasons stand in load_quarantine; replace the files and load again.' as advice,
        cast(count_files as double) as value,
        cast(0 as double) as bound,
        count_files = 0 as is_met
    from counted_files
    union all
    select
        'rejected_rows' as line,
        'No line of a file was set aside' as title,
        {{ grouped_digits("count_rows") }} || ' lines'
        || case when count_files > 0 then ' of ' || first_files else '' end
        || case
            when count_files > 3 then ' and ' || cast(count_files - 3 as {{ dbt.type_string() }}) || ' more'
            else ''
        end as measured,
        'none' as threshold,
        'Their places and reasons stand in load_rejected_rows; mend the files and load them again.' as advice,
        cast(count_rows as double) as value,
        cast(0 as double) as bound,
        count_rows = 0 as is_met
    from counted_rejections
)

select * from lines
