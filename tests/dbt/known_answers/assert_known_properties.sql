-- What Heap is told of each person of the fixture brand is what is so at as_of, of nobody who may not be told.
{{ config(enabled=var("known_answers", false)) }}
{%- set known %}
    heap_identity        | cart_abandoner | first_time_buyer | vip   | winback | ltv_tier | intent_tier | subscription_status
    fern-ada             | false          | false            | true  | false   | high     | cold        | subscribed
    fern-ben             | false          | false            | false | false   | mid      | cold        | subscribed
    fern-cy              | false          | false            | false | false   | none     | cold        | subscribed
    fern-dee             | false          | false            | false | false   | low      | cold        | subscribed
    fern-eve             | false          | false            | false | false   | low      | cold        | unsubscribed
    fern-fay             | false          | true             | false | false   | low      | cold        | subscribed
    fern-gus             | false          | false            | false | true    | low      | cold        | subscribed
    fern-hal             | false          | false            | false | false   | none     | cold        | subscribed
    fern-ida             | false          | false            | false | false   | low      | cold        | subscribed
    fern-kim             | false          | false            | false | true    | low      | high        | subscribed
    moe@fern.example.com | false          | false            | false | true    | low      | cold        | subscribed
{%- endset %}
with

properties as (
    select
        properties.heap_identity,
        properties.cio_seg_cart_abandoner_v1 as cart_abandoner,
        properties.cio_seg_first_time_buyer_delivered_v1 as first_time_buyer,
        properties.cio_seg_vip_v1 as vip,
        properties.cio_seg_winback_eligible_v1 as winback,
        properties.cio_ltv_tier as ltv_tier,
        properties.cio_intent_tier as intent_tier,
        properties.cio_subscription_status as subscription_status
    from {{ ref("heap_user_properties") }} as properties
    inner join {{ ref("dim_persons") }} as persons on properties.person_id = persons.person_id
    where persons.workspace_id = {{ fixture_workspace() }}
),

{{ known_answers("properties", known) }}
