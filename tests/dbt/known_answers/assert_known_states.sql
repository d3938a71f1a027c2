-- What each person of the fixture brand is worth, may be written to and looks like buying is known.
{{ config(enabled=var("known_answers", false)) }}
{%- set known %}
    customer             | ltv_tier | subscription_status | intent_tier | lifecycle_stage | last_order_on
    fern-ada             | high     | subscribed          | cold        | active          | 2026-05-04
    fern-ben             | mid      | subscribed          | cold        | active          | 2026-05-06
    fern-cy              | none     | subscribed          | cold        | prospect        |
    fern-dee             | low      | subscribed          | cold        | new             | 2026-05-12
    fern-eve             | low      | unsubscribed        | cold        | at_risk         | 2026-03-18
    fern-fay             | low      | subscribed          | cold        | new             | 2026-05-05
    fern-gus             | low      | subscribed          | cold        | at_risk         | 2026-03-25
    fern-hal             | none     | subscribed          | cold        | prospect        |
    fern-ida             | low      | subscribed          | cold        | new             | 2026-05-08
    fern-kim             | low      | subscribed          | high        | at_risk         | 2026-03-15
    fern-lou             | low      | suppressed          | cold        | at_risk         | 2026-03-17
    moe@fern.example.com | low      | subscribed          | cold        | at_risk         | 2026-03-16
{%- endset %}
with

states as (
    select
        coalesce(persons.customer_id, persons.email) as customer,
        states.ltv_tier,
        states.subscription_status,
        states.intent_tier,
        states.lifecycle_stage,
        states.last_order_on
    from {{ ref("dim_person_states") }} as states
    inner join {{ ref("dim_persons") }} as persons on states.person_id = persons.person_id
    where persons.workspace_id = {{ fixture_workspace() }}
),

{{ known_answers("states", known) }}
