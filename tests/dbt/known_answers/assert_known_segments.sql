-- Each left cart of the fixture brand is a stay of an hour to a week, ended by the order; the one who spends is a VIP.
{{ config(enabled=var("known_answers", false)) }}
{%- set known %}
    customer             | segment_key                | entered_at          | exited_at
    fern-ada             | cart_abandoner             | 2026-05-04 09:00:00 | 2026-05-04 12:00:00
    fern-ada             | replenishment_window       | 2026-02-22 00:00:00 | 2026-03-15 00:00:00
    fern-ada             | vip                        | 2026-05-04 12:00:00 |
    fern-ada             | winback_eligible           | 2026-04-02 00:00:00 | 2026-05-02 00:00:00
    fern-ben             | cart_abandoner             | 2026-05-04 09:00:00 | 2026-05-06 10:00:00
    fern-ben             | replenishment_window       | 2026-04-10 00:00:00 | 2026-05-01 00:00:00
    fern-cy              | cart_abandoner             | 2026-05-04 09:00:00 | 2026-05-11 08:00:00
    fern-dee             | cart_abandoner             | 2026-05-04 09:00:00 | 2026-05-11 08:00:00
    fern-dee             | high_intent_abandoner      | 2026-05-04 10:40:00 | 2026-05-07 09:40:00
    fern-eve             | cart_abandoner             | 2026-05-04 09:00:00 | 2026-05-11 08:00:00
    fern-fay             | cart_abandoner             | 2026-05-04 09:00:00 | 2026-05-05 09:00:00
    fern-fay             | first_time_buyer_delivered | 2026-05-08 10:00:00 |
    fern-gus             | cart_abandoner             | 2026-05-04 09:00:00 | 2026-05-11 08:00:00
    fern-gus             | replenishment_window       | 2026-05-02 00:00:00 | 2026-05-23 00:00:00
    fern-gus             | winback_eligible           | 2026-05-24 00:00:00 |
    fern-hal             | cart_abandoner             | 2026-05-04 09:00:00 | 2026-05-11 08:00:00
    fern-hal             | high_intent_abandoner      | 2026-05-05 11:05:00 | 2026-05-08 10:05:00
    fern-ida             | cart_abandoner             | 2026-05-04 09:00:00 | 2026-05-08 13:00:00
    fern-kim             | winback_eligible           | 2026-05-14 00:00:00 |
    fern-lou             | cart_abandoner             | 2026-05-04 09:00:00 | 2026-05-11 08:00:00
    fern-lou             | winback_eligible           | 2026-05-16 00:00:00 |
    moe@fern.example.com | cart_abandoner             | 2026-05-04 09:00:00 | 2026-05-11 08:00:00
    moe@fern.example.com | winback_eligible           | 2026-05-15 00:00:00 |
{%- endset %}
with

stays as (
    select
        coalesce(persons.customer_id, persons.email) as customer,
        memberships.segment_key,
        memberships.entered_at,
        memberships.exited_at
    from {{ ref("fct_segment_memberships") }} as memberships
    inner join {{ ref("dim_persons") }} as persons on memberships.person_id = persons.person_id
    where persons.workspace_id = {{ fixture_workspace() }} and memberships.version = 1
),

{{ known_answers("stays", known) }}
