{%- set least_agreement = var("checklist_least_agreement") -%}
with

spot_checks as (
    select * from {{ ref("spot_checks") }}
),

-- The last one of all workspaces, or of each
ranked_checks as (
    select
        *,
        row_number() over (
            partition by workspace_id
            order by checked_on desc, count_judged desc, owner asc
        ) as rank_of_check
    from spot_checks
    where cast(checked_on as timestamp) < {{ as_of() }}
),

judged as (
    select
        *,
        cast(count_right as double) / nullif(count_judged, 0) as agreement,
        coalesce('workspace ' || cast(workspace_id as {{ dbt.type_string() }}), 'all workspaces') || ' '
        || {{ grouped_digits("count_right") }} || ' of ' || {{ grouped_digits("count_judged") }}
        || ' right on ' || cast(checked_on as {{ dbt.type_string() }}) as said,
        coalesce(
            count_judged >= {{ var("checklist_spot_check_people") }}
            and count_right >= {{ least_agreement }} * count_judged
            and cast(checked_on as timestamp)
            >= {{ dbt.dateadd("day", -1 * var("checklist_spot_check_days"), as_of()) }},
            false
        ) as is_good,
        row_number() over (order by workspace_id asc nulls last) as place
    from ranked_checks
    where rank_of_check = 1
),

counted as (
    select
        count(*) as count_checks,
        count(case when not is_good then 1 end) as count_bad,
        min(agreement) as least_agreement,
        {{ listed_text("said", "place", "; ") }} as said
    from judged
),

lines as (
    select
        'spot_check' as line,
        'A spot check of people was done, and agrees' as title,
        case when count_checks = 0 then 'none was done' else said end as measured,
        'of at least {{ var("checklist_spot_check_people") }} people within '
        || '{{ var("checklist_spot_check_days") }} days, at least '
        || {{ share_text(least_agreement) }} || ' right' as threshold,
        'Draw a sheet with `counterfoil identity sample`, judge it, read it back: it says what to declare.'
            as advice,
        least_agreement as value,
        cast({{ least_agreement }} as double) as bound,
        count_checks > 0 and count_bad = 0 as is_met
    from counted
)

select * from lines
