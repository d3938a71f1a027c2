-- The fixture brand's one conversion has the goal and the value of the order beside it.
{{ config(enabled=var("known_answers", false)) }}
{%- set known %}
    delivery_id | goal         | value  | arm                 | minutes_since_trigger | converted_at
    mail-ada    | order_placed | 210.00 | fern_cart=treatment | 60                    | 2026-05-04 12:00:00
{%- endset %}
with

conversions as (
    select
        delivery_id,
        goal,
        value,
        arm,
        minutes_since_trigger,
        converted_at
    from {{ ref("fct_goal_conversions") }}
    where workspace_id = {{ fixture_workspace() }}
),

{{ known_answers("conversions", known) }}
