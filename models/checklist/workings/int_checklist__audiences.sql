with

audiences as (
    select * from {{ ref("fct_audiences") }}
),

parity as (
    select * from {{ ref("fct_audience_parity") }}
),

placed as (
    select
        *,
        audience_key || ' (' || blocked_reason || ')' as said,
        row_number() over (order by audience_key) as place
    from audiences
),

counted as (
    select
        count(*) as count_audiences,
        coalesce(sum(count_members), 0) as count_members,
        coalesce(sum(count_held_out), 0) as count_held_out,
        count(blocked_reason) as count_blocked,
        {{ listed_text("case when blocked_reason is not null then said end", "place", ", ") }} as blocked
    from placed
),

-- Compared with Heap's own list, audiences are alike
placed_parity as (
    select
        verdict,
        audience_key || ' ' || coalesce({{ fixed_decimals("jaccard", 2) }}, 'unknown') as said,
        row_number() over (order by audience_key) as place
    from parity
    where verdict <> 'not compared'
),

counted_parity as (
    select
        count(*) as count_compared,
        count(case when verdict <> 'ok' then 1 end) as count_apart,
        {{ listed_text("said", "place", ", ") }} as said
    from placed_parity
),

lines as (
    select
        'audiences' as line,
        'No audience is blocked' as title,
        case
            when count_audiences = 0 then 'no audience is declared'
            else
                cast(count_audiences as {{ dbt.type_string() }}) || ' audiences with '
                || {{ grouped_digits("count_members") }} || ' memberships; '
                || {{ grouped_digits("count_held_out") }} || ' held back as held out'
                || case when count_blocked > 0 then '; blocked: ' || blocked else '' end
        end as measured,
        'none blocked' as threshold,
        'Mend what the reason names, in audiences.csv or in the definition: docs/audiences.md.' as advice,
        cast(count_blocked as double) as value,
        cast(0 as double) as bound,
        case when count_audiences > 0 then count_blocked = 0 end as is_met
    from counted
    union all
    select
        'audience_parity' as line,
        'Audiences are alike here and in Heap' as title,
        case
            when count_compared = 0 then 'no list of a segment in Heap was loaded to compare with'
            else said
        end as measured,
        {{ literal("each as alike as min_parity of audiences.csv, by a whole sync of Heap's list") }}
            as threshold,
        'fct_audience_parity_sample shows who is in one list only, and why: docs/audiences.md.' as advice,
        cast(count_apart as double) as value,
        cast(0 as double) as bound,
        case when count_compared > 0 then count_apart = 0 end as is_met
    from counted_parity
    union all
    -- The ledger changes after the build: the command measures this one when it runs
    -- (pipelines/checklist/ledger.sql).
    select
        'landed' as line,
        'Whom Customer.io was told of is in its segments' as title,
        'read from the ledger when `counterfoil checklist` runs' as measured,
        'nobody is missing when the App API is read' as threshold,
        'Customer.io does it after it answers: push again, which reads again; who stays missing is not there.'
            as advice,
        cast(null as double) as value,
        cast(null as double) as bound,
        cast(null as boolean) as is_met
    union all
    -- So does the page: it is written after the build (pipelines/checklist/measure.py).
    select
        'page' as line,
        'The page is of this build, with all its tiles' as title,
        'looked for when `counterfoil checklist` runs' as measured,
        'a page of this very build, every relation read' as threshold,
        'Write it with `counterfoil review`.' as advice,
        cast(null as double) as value,
        cast(null as double) as bound,
        cast(null as boolean) as is_met
)

select * from lines
