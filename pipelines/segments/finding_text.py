"""The text of a version that was made from a finding: its model, and a unit test that passes."""

# ruff: noqa: E501 - lines of SQL and YAML

from __future__ import annotations

TIER_SQL = """\
-- {words}
with

profiles as (
    select distinct person_id from {{{{ ref("int_identity__profiles") }}}}{where}
),

intent_tiers as (
    select * from {{{{ ref("fct_intent_tiers") }}}}
    where intent_tier = '{tier}'
),

spans as (
    select
        intent_tiers.person_id,
        intent_tiers.entered_at as starts_at,
        intent_tiers.exited_at as ends_at
    from intent_tiers
    inner join profiles
        on intent_tiers.person_id = profiles.person_id
),

{{{{ stays_from("spans") }}}}

select * from stays
"""

TIER_TESTS = """\
unit_tests:
  - name: <key>_v1_while_the_tier_lasts
    model: <key>
    versions: {include: [1]}
    description: >-
      Ann was in it and is again; Bob is in another tier; Cat is of another workspace.
    overrides: {vars: {as_of: "2026-06-01 00:00:00"}}
    given:
      - input: ref('int_identity__profiles')
        rows:
          - {person_id: ann, workspace_id: <workspace>}
          - {person_id: bob, workspace_id: <workspace>}
      - input: ref('fct_intent_tiers')
        rows:
          - {person_id: ann, intent_tier: <tier>, entered_at: 2026-05-01 10:00:00, exited_at: 2026-05-03 10:00:00}
          - {person_id: ann, intent_tier: <tier>, entered_at: 2026-05-09 10:00:00, exited_at: null}
          - {person_id: bob, intent_tier: another, entered_at: 2026-05-09 10:00:00, exited_at: null}
          - {person_id: cat, intent_tier: <tier>, entered_at: 2026-05-09 10:00:00, exited_at: null}
    expect:
      rows:
        - {person_id: ann, entered_at: 2026-05-01 10:00:00, exited_at: 2026-05-03 10:00:00}
        - {person_id: ann, entered_at: 2026-05-09 10:00:00, exited_at: null}
"""

FUNNEL_SQL = """\
-- {words}
with

behavior_events as (
    select * from {{{{ ref("int_identity__behavior_events") }}}}{where}
),

{{{{ left_without(
    "{before}",
    ends_with="{step}",
    wait_hours=0,
    window_hours=var("insight_funnel_hours")
) }}}},

{{{{ stays_from("spans") }}}}

select * from stays
"""

FUNNEL_TESTS = """\
unit_tests:
  - name: <key>_v1_from_the_step_to_the_next
    model: <key>
    versions: {include: [1]}
    description: >-
      Ann took the next step two hours later; Bob did not, and is in until the funnel no longer waits; Cat came to neither.
    overrides: {vars: {as_of: "2026-06-01 00:00:00"}}
    given:
      - input: ref('int_identity__behavior_events')
        rows:
          - {person_id: ann, workspace_id: <workspace>, behavior: <before>, occurred_at: 2026-05-01 10:00:00}
          - {person_id: ann, workspace_id: <workspace>, behavior: <step>, occurred_at: 2026-05-01 12:00:00}
          - {person_id: bob, workspace_id: <workspace>, behavior: <before>, occurred_at: 2026-05-31 10:00:00}
          - {person_id: cat, workspace_id: <workspace>, behavior: site_visited, occurred_at: 2026-05-31 10:00:00}
    expect:
      rows:
        - {person_id: ann, entered_at: 2026-05-01 10:00:00, exited_at: 2026-05-01 12:00:00}
        - {person_id: bob, entered_at: 2026-05-31 10:00:00, exited_at: null}
"""

LTV = {
    "low": 'lifetime_value < {{ var("ltv_mid_lifetime_value") }}',
    "mid": 'lifetime_value >= {{ var("ltv_mid_lifetime_value") }}\n'
    '        and lifetime_value < {{ var("vip_lifetime_value") }}',
    "high": 'lifetime_value >= {{ var("vip_lifetime_value") }}',
}
"""Which lifetime values a tier has, as dim_person_states has them."""

TRIAGE_SQL = """\
-- {words}
with

profiles as (
    select * from {{{{ ref("int_identity__profiles") }}}}{where}
),

people as (
    select * from {{{{ ref("stg_customerio__people") }}}}
    where is_suppressed
),

lifecycle_stages as (
    select * from {{{{ ref("fct_lifecycle_stages") }}}}
    where lifecycle_stage = '{stage}'
),

intent_tiers as (
    select * from {{{{ ref("fct_intent_tiers") }}}}
    where intent_tier = '{tier}'
),

orders as (
    select * from {{{{ ref("int_segments__orders") }}}}
    where {bands}
),

order_values as (
    select * from {{{{ ref("int_segments__order_values") }}}}
    where
        {ltv}
),

unsubscribed as (
    select * from {{{{ ref("int_segments__unsubscribed_spans") }}}}
),

persons as (
    select distinct person_id
    from profiles
),

met as (
    select
        persons.person_id,
        greatest(
            lifecycle_stages.entered_at, intent_tiers.entered_at, orders.ordered_at, order_values.changed_at
        ) as starts_at,
        least(
            coalesce(lifecycle_stages.exited_at, {{{{ forever() }}}}),
            coalesce(intent_tiers.exited_at, {{{{ forever() }}}}),
            coalesce(orders.next_ordered_at, {{{{ forever() }}}}),
            coalesce(order_values.next_changed_at, {{{{ forever() }}}})
        ) as ends_at
    from persons
    inner join lifecycle_stages
        on persons.person_id = lifecycle_stages.person_id
    inner join intent_tiers
        on persons.person_id = intent_tiers.person_id
    inner join orders
        on persons.person_id = orders.person_id
    inner join order_values
        on persons.person_id = order_values.person_id
),

spans as (
    select * from met
    where starts_at < ends_at
),

-- nobody knows since when somebody is suppressed
silent as (
    select
        person_id,
        starts_at,
        ends_at
    from unsubscribed
    union all
    select
        profiles.person_id,
        {{{{ epoch() }}}} as starts_at,
        cast(null as timestamp) as ends_at
    from people
    inner join profiles
        on
            people.workspace_id = profiles.workspace_id
            and people.cio_id = profiles.cio_id
),

{{{{ stays_without("spans", "silent") }}}}

select * from stays
"""

TRIAGE_TESTS = """\
unit_tests:
  - name: <key>_v1_while_all_of_it_holds
    model: <key>
    versions: {include: [1]}
    description: >-
      Ann and Bob are what the finding is about, Ann from the last of it on; Bob took his name off the list.
    overrides: {vars: {as_of: "2026-06-01 00:00:00"}}
    given:
      - input: ref('int_identity__profiles')
        rows:
          - {person_id: ann, workspace_id: <workspace>, cio_id: a1}
          - {person_id: bob, workspace_id: <workspace>, cio_id: b1}
      - input: ref('stg_customerio__people')
        rows: []
      - input: ref('fct_lifecycle_stages')
        rows:
          - {person_id: ann, lifecycle_stage: <stage>, entered_at: 2026-04-01 00:00:00, exited_at: null}
          - {person_id: bob, lifecycle_stage: <stage>, entered_at: 2026-04-01 00:00:00, exited_at: null}
      - input: ref('fct_intent_tiers')
        rows:
          - {person_id: ann, intent_tier: <tier>, entered_at: 2026-05-01 00:00:00, exited_at: null}
          - {person_id: bob, intent_tier: <tier>, entered_at: 2026-05-01 00:00:00, exited_at: null}
      - input: ref('int_segments__orders')
        rows:
          - {person_id: ann, order_number: <orders>, ordered_at: 2026-01-01 00:00:00}
          - {person_id: bob, order_number: <orders>, ordered_at: 2026-01-01 00:00:00}
      - input: ref('int_segments__order_values')
        rows:
          - {person_id: ann, lifetime_value: <value>, changed_at: 2026-01-01 00:00:00}
          - {person_id: bob, lifetime_value: <value>, changed_at: 2026-01-01 00:00:00}
      - input: ref('int_segments__unsubscribed_spans')
        rows:
          - {person_id: bob, starts_at: 2026-03-01 00:00:00, ends_at: null}
    expect:
      rows:
        - {person_id: ann, entered_at: 2026-05-01 00:00:00, exited_at: null}
"""
