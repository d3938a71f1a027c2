-- Which events of the fixture brand Heap is told, of whom and when.
{{ config(enabled=var("known_answers", false)) }}
{%- set known %}
    kind                | heap_identity        | occurred_at         | arm
    cio_journey_entered | fern-ada             | 2026-05-04 09:00:00 | fern_cart=treatment
    cio_journey_entered | fern-ben             | 2026-05-04 09:01:00 | fern_cart=treatment
    cio_journey_entered | fern-cy              | 2026-05-04 09:02:00 | fern_cart=treatment
    cio_journey_entered | fern-dee             | 2026-05-04 09:03:00 | fern_cart=treatment
    cio_journey_entered | fern-eve             | 2026-05-04 09:04:00 | fern_cart=treatment
    cio_journey_entered | fern-fay             | 2026-05-04 09:07:00 | fern_cart=holdout
    cio_journey_entered | fern-gus             | 2026-05-04 09:08:00 | fern_cart=holdout
    cio_journey_entered | fern-hal             | 2026-05-04 09:09:00 | fern_cart=holdout
    cio_journey_entered | fern-ida             | 2026-05-04 09:10:00 | fern_cart=holdout
    cio_journey_entered | moe@fern.example.com | 2026-05-04 09:05:00 | fern_cart=treatment
    cio_message_sent    | fern-ada             | 2026-05-04 10:00:05 | fern_cart=treatment
    cio_message_sent    | fern-ben             | 2026-05-04 10:01:05 | fern_cart=treatment
    cio_message_sent    | fern-dee             | 2026-05-04 10:03:05 | fern_cart=treatment
    cio_message_sent    | fern-dee             | 2026-05-04 13:03:02 | fern_cart=treatment
    cio_message_sent    | fern-eve             | 2026-05-04 10:04:05 | fern_cart=treatment
    cio_message_clicked | fern-ada             | 2026-05-04 10:30:00 | fern_cart=treatment
    cio_goal_converted  | fern-ada             | 2026-05-04 12:00:00 | fern_cart=treatment
{%- endset %}
with

events as (
    {%- for event in heap_events() %}
    select
        'cio_{{ event }}' as kind,
        heap_identity,
        occurred_at,
        arm
    from {{ ref("heap_cio_" ~ event) }}
    where workspace_id = {{ fixture_workspace() }}
    {{ "union all" if not loop.last }}
    {%- endfor %}
),

{{ known_answers("events", known) }}
