{#- What the warehouse sync tells of a workspace, and the column with its instant. -#}
{%- set families = {
    "people": "coalesce(updated_at, created_at, " ~ epoch() ~ ")",
    "attributes": "timestamp",
    "subjects": "coalesce(started_campaign_at, created_at)",
    "deliveries": "created_at",
    "metrics": "created_at",
} -%}
with

{%- for family in families %}

{{ family }} as (
    select * from {{ source("customerio", family) }}
),
{%- endfor %}

told as (
    {%- for family, told_at in families.items() %}
    select
        workspace_id,
        '{{ family }}' as family,
        min({{ told_at }}) as told_since
    from {{ family }}
    where
        workspace_id is not null
        and {{ told_at }} < {{ as_of() }}
    group by workspace_id
    {{ "union all" if not loop.last }}
    {%- endfor %}
),

summarised as (
    select
        workspace_id,
        min(case when family = 'people' then told_since end) as people_since,
        min(case when family in ('deliveries', 'subjects') then told_since end) as deliveries_since,
        min(case when family = 'metrics' then told_since end) as metrics_since
    from told
    group by workspace_id
)

select * from summarised
