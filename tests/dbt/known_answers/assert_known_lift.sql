-- Arms of seven and four are too few for a lift, whatever their means are: the fixture brand's are known.
{{ config(enabled=var("known_answers", false)) }}
{%- set known %}
    population    | metric_key    | arm       | count_treatment | count_control | mean_treatment | mean_control | status       | reasons
    ghost_reached | checkout_rate | treatment | 5               | 4             | 0.8            | 0.5          | insufficient | few_events||underpowered
    ghost_reached | order_count   | treatment | 5               | 4             | 0.4            | 0.5          | insufficient | few_events||skew||underpowered
    ghost_reached | order_rate    | treatment | 5               | 4             | 0.4            | 0.5          | insufficient | few_events||underpowered
    ghost_reached | order_value   | treatment | 5               | 4             | 50.0           | 20.0         | insufficient | few_events||skew||underpowered
    itt           | checkout_rate | treatment | 7               | 4             | 0.5714         | 0.5          | insufficient | few_events
    itt           | order_count   | treatment | 7               | 4             | 0.2857         | 0.5          | insufficient | few_events||skew
    itt           | order_rate    | treatment | 7               | 4             | 0.2857         | 0.5          | insufficient | few_events
    itt           | order_value   | treatment | 7               | 4             | 35.7143        | 20.0         | insufficient | few_events||skew
{%- endset %}
with

lift as (
    select
        population,
        metric_key,
        arm,
        count_treatment,
        count_control,
        round(mean_treatment, 4) as mean_treatment,
        round(mean_control, 4) as mean_control,
        status,
        reasons
    from {{ ref("fct_lift") }}
    where
        experiment_key = 'fern_cart'
        and stratum = 'all'
        -- those that the brand declares: where it is built beside others, they bring metrics of their own
        and metric_key in ('checkout_rate', 'order_count', 'order_rate', 'order_value')
),

{{ known_answers("lift", known) }}
