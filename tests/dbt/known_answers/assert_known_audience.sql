-- Of the fixture brand's cart abandoners nobody held out, suppressed or without the identifier is told.
{{ config(enabled=var("known_answers", false)) }}
{%- set known %}
    customer             | is_member | exclusion_reason
    fern-gus             | false     | held out
    fern-kim             | true      |
    fern-lou             | false     | suppressed
    moe@fern.example.com | false     | no identifier
{%- endset %}
with

members as (
    select
        coalesce(persons.customer_id, persons.email) as customer,
        members.is_member,
        members.exclusion_reason
    from {{ ref("fct_audience_members") }} as members
    inner join {{ ref("dim_persons") }} as persons on members.person_id = persons.person_id
    where persons.workspace_id = {{ fixture_workspace() }}
),

{{ known_answers("members", known) }}
