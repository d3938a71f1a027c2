-- The fixture brand's thirteen profiles are twelve people, known in Heap or not as its story tells.
{{ config(enabled=var("known_answers", false)) }}
{%- set known %}
    customer             | source      | match_status | refusal_reason       | profiles
    fern-ada             | customer_id | matched      |                      | 1
    fern-ben             | customer_id | matched      |                      | 1
    fern-cy              | customer_id | matched      |                      | 1
    fern-dee             | customer_id | matched      |                      | 1
    fern-eve             | customer_id | matched      |                      | 1
    fern-fay             | customer_id | matched      |                      | 1
    fern-gus             | customer_id | unmatched    |                      | 1
    fern-hal             | customer_id | unmatched    |                      | 1
    fern-ida             | customer_id | matched      |                      | 2
    fern-kim             | customer_id | matched      |                      | 1
    fern-lou             | customer_id | suppressed   | person is suppressed | 1
    moe@fern.example.com | email       | matched      |                      | 1
{%- endset %}
with

persons as (
    select
        coalesce(customer_id, email) as customer,
        heap_identity_source as source,
        match_status,
        refusal_reason,
        count_profiles as profiles
    from {{ ref("dim_persons") }}
    where workspace_id = {{ fixture_workspace() }}
),

{{ known_answers("persons", known) }}
