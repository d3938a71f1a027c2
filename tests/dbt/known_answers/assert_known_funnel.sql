-- Where the fixture brand's people dropped on their way through the checkout, by arm.
{{ config(enabled=var("known_answers", false)) }}
{%- set known %}
    arm       | step_number | step             | count_units | count_persons | count_dropped
    holdout   | 1           | checkout_started | 4           | 2             | 2
    holdout   | 2           | shipping_viewed  | 4           | 2             | 0
    holdout   | 3           | payment_viewed   | 4           | 1             | 1
    holdout   | 4           | order_placed     | 4           | 1             | 0
    treatment | 1           | checkout_started | 7           | 4             | 3
    treatment | 2           | shipping_viewed  | 7           | 3             | 1
    treatment | 3           | payment_viewed   | 7           | 2             | 1
    treatment | 4           | order_placed     | 7           | 2             | 0
{%- endset %}
with

funnel as (
    select
        arm,
        step_number,
        step,
        count_units,
        count_persons,
        count_dropped
    from {{ ref("fct_checkout_funnel") }}
    where workspace_id = {{ fixture_workspace() }}
),

{{ known_answers("funnel", known) }}
