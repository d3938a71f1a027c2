-- Who of the fixture brand is in which arm, and what each ordered within the week.
{{ config(enabled=var("known_answers", false)) }}
{%- set known %}
    customer             | arm       | value | is_exposed_real | is_exposed_ghost | is_mature
    fern-ada             | treatment | 210.0 | true            | false            | true
    fern-ben             | treatment | 40.0  | true            | false            | true
    fern-cy              | treatment | 0.0   | false           | false            | true
    fern-dee             | treatment | 0.0   | true            | false            | true
    fern-eve             | treatment | 0.0   | true            | false            | true
    fern-fay             | holdout   | 25.0  | false           | true             | true
    fern-gus             | holdout   | 0.0   | false           | true             | true
    fern-hal             | holdout   | 0.0   | false           | true             | true
    fern-ida             | holdout   | 55.0  | false           | true             | true
    fern-lou             | treatment | 0.0   | true            | false            | true
    moe@fern.example.com | treatment | 0.0   | false           | false            | true
{%- endset %}
with

units as (
    select
        coalesce(persons.customer_id, persons.email) as customer,
        units.arm,
        units.y as value,
        units.is_exposed_real,
        units.is_exposed_ghost,
        units.is_mature
    from {{ ref("fct_experiment_units") }} as units
    inner join {{ ref("dim_persons") }} as persons on units.person_id = persons.person_id
    where persons.workspace_id = {{ fixture_workspace() }} and units.metric_key = 'order_value'
),

{{ known_answers("units", known) }}
