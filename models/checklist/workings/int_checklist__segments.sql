{%- set budget = segment_budget() -%}
with

versions as (
    select * from {{ ref("dim_segment_versions") }}
),

exported_versions as (
    select
        segment_key,
        segment_key || ' v' || cast(version as {{ dbt.type_string() }}) as said,
        row_number() over (order by segment_key, version) as place,
        motion is not null and owner is not null and fingerprint is not null as is_complete
    from versions
    where
        is_exported
        and valid_from <= {{ as_of() }}
        and (valid_to is null or valid_to > {{ as_of() }})
),

counted as (
    select
        count(distinct segment_key) as count_segments,
        count(case when not is_complete then 1 end) as count_incomplete,
        {{ listed_text("case when not is_complete then said end", "place", ", ") }} as incomplete
    from exported_versions
),

judged as (
    select
        *,
        count_segments between {{ budget["least"] }} and {{ budget["most"] }} as is_in_budget
    from counted
),

lines as (
    select
        'segments' as line,
        'Few segments are exported, owned, and locked' as title,
        cast(count_segments as {{ dbt.type_string() }}) || ' exported'
        || case when count_incomplete > 0 then '; not complete: ' || incomplete else '' end as measured,
        '{{ budget["least"] }} to {{ budget["most"] }}, each with motion, owner and fingerprint'
            as threshold,
        {{ literal(
            "Edit the segments' yml (is_exported, motion, owner) and run `counterfoil segments lock`."
        ) }}
            as advice,
        cast(count_segments as double) as value,
        cast({{ budget["most"] }} as double) as bound,
        is_in_budget and count_incomplete = 0 as is_met,
        -- the budget is all that fails, so that a waiver of the budget is enough
        case when not is_in_budget and count_incomplete = 0 then 'segment_budget' end as budget
    from judged
)

select * from lines
