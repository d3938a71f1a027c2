{%- set facts = "line, title, measured, threshold, advice, value, bound, is_met" -%}
{%- set first_of_an_experiment = checklist_lines().index("arms") + 1 -%}
with

subjects as (
    select * from {{ ref("int_checklist__subjects") }}
),

identity as (
    select * from {{ ref("int_checklist__identity") }}
),

events as (
    select * from {{ ref("int_checklist__events") }}
),

segments as (
    select * from {{ ref("int_checklist__segments") }}
),

holdouts as (
    select * from {{ ref("int_checklist__holdouts") }}
),

loads as (
    select * from {{ ref("int_checklist__loads") }}
),

webhooks as (
    select * from {{ ref("int_checklist__webhooks") }}
),

heap as (
    select * from {{ ref("int_checklist__heap") }}
),

audiences as (
    select * from {{ ref("int_checklist__audiences") }}
),

naming as (
    select * from {{ ref("int_checklist__naming") }}
),

promises as (
    select * from {{ ref("int_checklist__promises") }}
),

major_journeys as (
    select * from {{ ref("int_checklist__major_journeys") }}
),

spot_checks as (
    select * from {{ ref("int_checklist__spot_checks") }}
),

journeys as (
    select * from {{ ref("int_checklist__journeys") }}
),

journey_messages as (
    select * from {{ ref("int_checklist__journey_messages") }}
),

journey_experiments as (
    select * from {{ ref("int_checklist__journey_experiments") }}
),

journey_results as (
    select * from {{ ref("int_checklist__journey_results") }}
),

journey_validation as (
    select * from {{ ref("int_checklist__journey_validation") }}
),

waivers as (
    select * from {{ ref("waivers") }}
),

-- One row per family: a new family of lines is united here.
implementation_lines as (
    select {{ facts }}, cast(null as {{ dbt.type_string() }}) as budget from identity
    union all
    select {{ facts }}, cast(null as {{ dbt.type_string() }}) as budget from events
    union all
    select {{ facts }}, budget from segments
    union all
    select {{ facts }}, cast(null as {{ dbt.type_string() }}) as budget from holdouts
    union all
    select {{ facts }}, cast(null as {{ dbt.type_string() }}) as budget from loads
    union all
    select {{ facts }}, cast(null as {{ dbt.type_string() }}) as budget from webhooks
    union all
    select {{ facts }}, cast(null as {{ dbt.type_string() }}) as budget from heap
    union all
    select {{ facts }}, cast(null as {{ dbt.type_string() }}) as budget from audiences
    union all
    select {{ facts }}, cast(null as {{ dbt.type_string() }}) as budget from naming
    union all
    select {{ facts }}, cast(null as {{ dbt.type_string() }}) as budget from promises
    union all
    select {{ facts }}, cast(null as {{ dbt.type_string() }}) as budget from major_journeys
    union all
    select {{ facts }}, cast(null as {{ dbt.type_string() }}) as budget from spot_checks
),

journey_lines as (
    select {{ facts }}, workspace_id, journey_id, cast(null as {{ dbt.type_string() }}) as experiment_key
    from journeys
    union all
    select {{ facts }}, workspace_id, journey_id, cast(null as {{ dbt.type_string() }}) as experiment_key
    from journey_messages
    union all
    select {{ facts }}, workspace_id, journey_id, experiment_key from journey_experiments
    union all
    select {{ facts }}, workspace_id, journey_id, experiment_key from journey_results
    union all
    select {{ facts }}, workspace_id, journey_id, cast(null as {{ dbt.type_string() }}) as experiment_key
    from journey_validation
),

lines as (
    select
        'implementation' as subject,
        cast(null as {{ dbt.type_string() }}) as experiment_key,
        {{ facts }},
        budget
    from implementation_lines
    union all
    select
        cast(workspace_id as {{ dbt.type_string() }}) || '/' || journey_id as subject,
        experiment_key,
        {{ facts }},
        cast(null as {{ dbt.type_string() }}) as budget
    from journey_lines
),

placed_lines as (
    select
        *,
        {{ checklist_place("line") }} as place
    from lines
),

-- The lines of one experiment stay together.
numbered_lines as (
    select
        *,
        row_number() over (
            partition by subject
            order by
                case when experiment_key is null then place else {{ first_of_an_experiment }} end,
                experiment_key,
                place
        ) as position
    from placed_lines
),

-- A waiver holds until its day, for its subject or for all; the one that holds longest counts.
ranked_waivers as (
    select
        numbered_lines.subject,
        numbered_lines.position,
        waivers.owner,
        waivers.expires_on,
        waivers.reason,
        row_number() over (
            partition by numbered_lines.subject, numbered_lines.position
            order by waivers.expires_on desc, waivers.owner asc, waivers.reason asc
        ) as rank_of_waiver
    from numbered_lines
    inner join waivers
        on
            waivers.rule in (numbered_lines.line, numbered_lines.budget)
            and coalesce(waivers.subject, numbered_lines.subject) = numbered_lines.subject
    where cast(waivers.expires_on as timestamp) > {{ as_of() }}
),

judged as (
    select
        numbered_lines.*,
        ranked_waivers.owner as waiver_owner,
        ranked_waivers.reason as waiver_reason,
        ranked_waivers.expires_on as waiver_expires_on,
        {{ checklist_verdict("numbered_lines.is_met", "ranked_waivers.owner") }} as verdict
    from numbered_lines
    left join ranked_waivers
        on
            numbered_lines.subject = ranked_waivers.subject
            and numbered_lines.position = ranked_waivers.position
            and ranked_waivers.rank_of_waiver = 1
),

told as (
    select
        -- ids
        judged.line,
        judged.subject,
        subjects.workspace_id,
        subjects.journey_id,
        judged.experiment_key,
        -- attributes
        subjects.subject_name,
        judged.verdict,
        judged.title,
        judged.measured,
        judged.threshold,
        judged.advice,
        {{ sentence_start("judged") }} || judged.measured || {{ sentence_end("judged") }} as sentence,
        judged.waiver_owner,
        judged.waiver_reason,
        -- numbers
        cast(judged.position as {{ dbt.type_bigint() }}) as position,
        judged.value,
        judged.bound as {{ adapter.quote("limit") }},
        -- dates
        judged.waiver_expires_on
    from judged
    inner join subjects on judged.subject = subjects.subject
)

select * from told
