-- One line for each version, written by `counterfoil segments new`: dbt must know what to build
-- first before it can look. A version that is forgotten here fails the build by name.
-- depends_on: {{ ref("cart_abandoner", v=1) }}
-- depends_on: {{ ref("churn_risk", v=1) }}
-- depends_on: {{ ref("first_time_buyer_delivered", v=1) }}
-- depends_on: {{ ref("high_intent_abandoner", v=1) }}
-- depends_on: {{ ref("replenishment_window", v=1) }}
-- depends_on: {{ ref("shipping_dropped", v=1) }}
-- depends_on: {{ ref("vip", v=1) }}
-- depends_on: {{ ref("winback_eligible", v=1) }}
with

memberships as (
    {%- for segment in segment_versions() %}
    select
        person_id,
        '{{ segment.segment_key }}' as segment_key,
        cast({{ segment.version }} as bigint) as version,
        entered_at,
        exited_at
    from {{ segment.relation }}
    {% if not loop.last %}union all{% endif %}
    {%- endfor %}
)

select * from memberships
