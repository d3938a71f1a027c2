{%- set told = ["count_entries", "count_real", "count_ghost", "count_none"] -%}
with

weeks as (
    select * from {{ ref("fct_review_journey_weeks") }}
),

told_weeks as (
    select * from {{ ref("fct_review_weeks") }}
),

counted as (
    select
        -- ids
        workspace_id,
        journey_id,
        -- attributes
        max(journey_name) as journey_name,
        -- numbers
        {{- by_period(told + ["count_clicked", "count_claimed"]) }}
    from weeks
    group by workspace_id, journey_id
),

trended as (
    select
        weeks.workspace_id,
        weeks.journey_id,
        {%- for name in ["real", "ghost", "none"] %}
        cast(sum(weeks.count_{{ name }}) as {{ dbt.type_bigint() }}) as count_{{ name }}_trend
        {%- if not loop.last %},{% endif %}
        {%- endfor %}
    from weeks
    inner join told_weeks
        on weeks.weeks_ago = told_weeks.weeks_ago
    group by weeks.workspace_id, weeks.journey_id
),

compared as (
    select
        counted.*,
        {{- click_through_by_period() }},
        {%- for name in told %}
        case
            when {{ name }}_previous_week >= {{ var("review_change_from") }}
                then cast({{ name }}_week - {{ name }}_previous_week as double) / {{ name }}_previous_week
        end as change_{{ name | replace("count_", "") }},
        {%- endfor %}
        {%- for name in ["real", "ghost", "none"] %}
        coalesce(trended.count_{{ name }}_trend, 0) as count_{{ name }}_trend
        {%- if not loop.last %},{% endif %}
        {%- endfor %}
    from counted
    left join trended
        on
            counted.workspace_id = trended.workspace_id
            and counted.journey_id = trended.journey_id
)

select * from compared
