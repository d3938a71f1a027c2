-- What of the fixture brand Heap is not told, and why.
{{ config(enabled=var("known_answers", false)) }}
{%- set known %}
    kind                | reason               | refused
    cio_journey_entered | person is suppressed | 1
    cio_message_sent    | person is suppressed | 1
    user_properties     | person is suppressed | 1
{%- endset %}
with

candidates as (
    {%- for event in heap_events() %}
    select publish_key
    from {{ ref("int_heap__" ~ event) }}
    where workspace_id = {{ fixture_workspace() }}
    union all
    {%- endfor %}
    select {{ publish_key("user_properties", ["person_id"]) }} as publish_key
    from {{ ref("dim_persons") }}
    where workspace_id = {{ fixture_workspace() }}
),

refusals as (
    select
        refusals.kind,
        refusals.reason,
        count(*) as refused
    from {{ ref("heap_refusals") }} as refusals
    inner join candidates on refusals.publish_key = candidates.publish_key
    group by refusals.kind, refusals.reason
),

{{ known_answers("refusals", known) }}
