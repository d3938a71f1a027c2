-- Each of the fixture brand's eleven passes through the journey has its person, arm and stamps.
{{ config(enabled=var("known_answers", false)) }}
{%- set known %}
    customer             | entered_at          | arm                 | segments                                   | intent_tier
    fern-ada             | 2026-05-04 09:00:00 | fern_cart=treatment | cart_abandoner_v1                          | warm
    fern-ben             | 2026-05-04 09:01:00 | fern_cart=treatment | cart_abandoner_v1                          | warm
    fern-cy              | 2026-05-04 09:02:00 | fern_cart=treatment | cart_abandoner_v1                          | warm
    fern-dee             | 2026-05-04 09:03:00 | fern_cart=treatment | cart_abandoner_v1                          | warm
    fern-eve             | 2026-05-04 09:04:00 | fern_cart=treatment | cart_abandoner_v1                          | warm
    fern-fay             | 2026-05-04 09:07:00 | fern_cart=holdout   | cart_abandoner_v1                          | warm
    fern-gus             | 2026-05-04 09:08:00 | fern_cart=holdout   | cart_abandoner_v1||replenishment_window_v1 | warm
    fern-hal             | 2026-05-04 09:09:00 | fern_cart=holdout   | cart_abandoner_v1                          | warm
    fern-ida             | 2026-05-04 09:10:00 | fern_cart=holdout   | cart_abandoner_v1                          | warm
    fern-lou             | 2026-05-04 09:06:00 | fern_cart=treatment | cart_abandoner_v1                          | warm
    moe@fern.example.com | 2026-05-04 09:05:00 | fern_cart=treatment | cart_abandoner_v1                          | warm
{%- endset %}
with

entries as (
    select
        coalesce(persons.customer_id, persons.email) as customer,
        entries.entered_at,
        entries.arm,
        entries.segments,
        entries.intent_tier
    from {{ ref("fct_journey_entries") }} as entries
    inner join {{ ref("dim_persons") }} as persons on entries.person_id = persons.person_id
    where entries.workspace_id = {{ fixture_workspace() }}
),

{{ known_answers("entries", known) }}
