{%- set most_refused = var("checklist_most_refused_share") -%}
{%- set marts = heap_told(heap_events()) -%}
with

{%- for mart in marts %}

{{ mart }} as (
    select * from {{ ref(mart) }}
),
{%- endfor %}

-- Who is held as new to Heap is held by declaration
refusals as (
    select * from {{ ref("heap_refusals") }}
    where reason <> {{ new_to_heap() }}
),

-- Every Heap model says how often it is told, and why
cadences as (
    {%- for model in heap_cadences() %}
    select
        {{ loop.index }} as place,
        '{{ model.name }}' as model_name,
        {{ literal(model.cadence | string) }} as cadence,
        {{ literal(model.reason | string) }} as reason
    {{ "union all" if not loop.last }}
    {%- else %}
    select
        1 as place,
        'none' as model_name,
        '' as cadence,
        '' as reason
    where false
    {%- endfor %}
),

judged_cadences as (
    select
        *,
        cadence in ('{{ cadences() | join("', '") }}') and reason <> '' as is_declared
    from cadences
),

counted_cadences as (
    select
        count(*) as count_models,
        count(case when not is_declared then 1 end) as count_undeclared,
        {{ listed_text(
            "model_name || ' ' || coalesce(nullif(cadence, ''), 'undeclared')", "place", ", "
        ) }} as said,
        {{ listed_text("case when not is_declared then model_name end", "place", ", ") }} as undeclared
    from judged_cadences
),

-- Few rows may not be sent
told as (
    {%- for mart in marts %}
    select count(*) as count_rows from {{ mart }}
    {{ "union all" if not loop.last }}
    {%- endfor %}
),

counted_told as (
    select sum(count_rows) as count_told from told
),

refusal_reasons as (
    select
        reason,
        count(*) as count_rows
    from refusals
    group by reason
),

ranked_reasons as (
    select
        *,
        row_number() over (order by count_rows desc, reason asc) as place
    from refusal_reasons
),

counted_reasons as (
    select
        coalesce(sum(count_rows), 0) as count_refused,
        {{ listed_text(
            "case when place <= 4 then " ~ shown_name("reason") ~ " || ' ' || "
            ~ grouped_digits("count_rows") ~ " end",
            "place", ", "
        ) }} as first_reasons
    from ranked_reasons
),

counted_refusals as (
    select
        counted_reasons.count_refused,
        counted_reasons.first_reasons,
        counted_reasons.count_refused + counted_told.count_told as count_all,
        cast(counted_reasons.count_refused as double)
        / nullif(counted_reasons.count_refused + counted_told.count_told, 0) as refused_share
    from counted_reasons
    cross join counted_told
),

lines as (
    select
        'cadence' as line,
        'Every Heap model says how often it is told, and why' as title,
        case
            when count_models = 0 then 'no model is declared for Heap'
            else said || case when count_undeclared > 0 then '; not declared: ' || undeclared else '' end
        end as measured,
        'cadence and reason in config.meta.heap' as threshold,
        {{ literal("Add `cadence` and `reason` to the model's yml.") }} as advice,
        cast(count_undeclared as double) as value,
        cast(0 as double) as bound,
        case when count_models > 0 then count_undeclared = 0 end as is_met
    from counted_cadences
    union all
    select
        'refusals' as line,
        'Few rows may not be sent' as title,
        case
            when count_all = 0 then 'nothing to tell'
            else
                {{ share_text("refused_share", 2) }} || ' of ' || {{ grouped_digits("count_all") }}
                || case when count_refused > 0 then ' (' || first_reasons || ')' else '' end
        end as measured,
        'at most ' || {{ share_text(most_refused) }} || ' of what would be told' as threshold,
        'Mend the largest reason first; heap_refusals names every row.' as advice,
        refused_share as value,
        cast({{ most_refused }} as double) as bound,
        refused_share <= cast({{ most_refused }} as double) as is_met
    from counted_refusals
    union all
    -- The ledger changes after the build: the command measures these three when it runs
    -- (pipelines/checklist/ledger.sql).
    select
        'dead_letters' as line,
        'Heap refused nothing that still waits' as title,
        'read from the ledger when `counterfoil checklist` runs' as measured,
        'none open' as threshold,
        'See `counterfoil deadletters list`, mend the cause, then `counterfoil deadletters retry`.' as advice,
        cast(null as double) as value,
        cast(null as double) as bound,
        cast(null as boolean) as is_met
    union all
    select
        'read_back' as line,
        'What Heap acknowledged is what Heap has' as title,
        'read from the ledger when `counterfoil checklist` runs' as measured,
        'every receipt older than the read-back is found in it' as threshold,
        {{ literal("A receipt is not storage: compare the missing keys with Heap's own limits.") }} as advice,
        cast(null as double) as value,
        cast(null as double) as bound,
        cast(null as boolean) as is_met
    union all
    select
        'told_otherwise' as line,
        'What Heap was told is still so' as title,
        'read from the ledger when `counterfoil checklist` runs' as measured,
        'no event is otherwise now' as threshold,
        'See `counterfoil explain told`. Heap corrects no event: say it to who reads its charts, then waive the line.'
            as advice,
        cast(null as double) as value,
        cast(null as double) as bound,
        cast(null as boolean) as is_met
)

select * from lines
