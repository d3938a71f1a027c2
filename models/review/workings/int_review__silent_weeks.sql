{#- What a part of the page needs; either family is enough. -#}
{%- set needs = [
    ("entries", "subjects"), ("entries", "webhooks"),
    ("messages", "deliveries"), ("messages", "webhooks"),
    ("outcomes", "metrics"), ("outcomes", "webhooks"),
    ("checkouts", "behavior"),
] -%}
with

weeks as (
    select * from {{ ref("fct_review_weeks") }}
),

workspaces as (
    select distinct workspace_id
    from {{ ref("fct_review_journey_weeks") }}
),

daily_counts as (
    select * from {{ ref("int_loads__daily_counts") }}
    where grain = 'workspace'
),

inputs as (
    select * from {{ ref("int_loads__inputs") }}
    where grain = 'workspace'
),

needs as (
    {%- for need, family in needs %}
    select
        '{{ need }}' as need,
        '{{ family }}' as family
    {{ "union all" if not loop.last }}
    {%- endfor %}
),

came as (
    select distinct
        workspace_id,
        family,
        cast(floor(days_before / 7.0) as {{ dbt.type_bigint() }}) + 1 as weeks_ago
    from daily_counts
),

-- What is of no workspace is of all of them.
came_needed as (
    select distinct
        workspaces.workspace_id,
        needs.need,
        came.weeks_ago
    from workspaces
    cross join needs
    inner join came
        on
            needs.family = came.family
            and coalesce(came.workspace_id, workspaces.workspace_id) = workspaces.workspace_id
),

spans as (
    select
        workspace_id,
        need,
        min(weeks_ago) as last_weeks_ago,
        max(weeks_ago) as first_weeks_ago
    from came_needed
    group by workspace_id, need
),

-- A need has stopped when each family of it has.
stops as (
    select
        workspaces.workspace_id,
        needs.need,
        min(inputs.hours_since_last_event) as hours_silent,
        min(case when inputs.hours_since_last_event > inputs.stale_after_hours then 1 else 0 end) = 1
            as is_stale
    from workspaces
    cross join needs
    inner join inputs
        on
            needs.family = inputs.family
            and coalesce(inputs.workspace_id, workspaces.workspace_id) = workspaces.workspace_id
    group by workspaces.workspace_id, needs.need
),

-- Whether anything at all came of a workspace: then what lacks may be a quiet week.
came_at_all as (
    select distinct
        workspace_id,
        weeks_ago
    from came
    where workspace_id is not null
),

needed_names as (
    select distinct need
    from needs
),

silent as (
    select
        workspaces.workspace_id,
        needed_names.need,
        weeks.weeks_ago,
        stops.hours_silent,
        coalesce(spans.last_weeks_ago > weeks.weeks_ago, false) as has_come_before,
        coalesce(spans.first_weeks_ago >= weeks.weeks_ago, false) as has_begun,
        coalesce(stops.is_stale and spans.last_weeks_ago > weeks.weeks_ago, false) as has_stopped,
        came_at_all.workspace_id is not null and needed_names.need <> 'checkouts' as may_be_quiet
    from workspaces
    cross join needed_names
    cross join weeks
    left join came_needed
        on
            workspaces.workspace_id = came_needed.workspace_id
            and needed_names.need = came_needed.need
            and weeks.weeks_ago = came_needed.weeks_ago
    left join spans
        on
            workspaces.workspace_id = spans.workspace_id
            and needed_names.need = spans.need
    left join stops
        on
            workspaces.workspace_id = stops.workspace_id
            and needed_names.need = stops.need
    left join came_at_all
        on
            workspaces.workspace_id = came_at_all.workspace_id
            and weeks.weeks_ago = came_at_all.weeks_ago
    where came_needed.need is null
),

told as (
    select
        workspace_id,
        need,
        weeks_ago,
        hours_silent,
        has_come_before
    from silent
    where
        has_stopped
        or not has_begun
        or not may_be_quiet
)

select * from told
