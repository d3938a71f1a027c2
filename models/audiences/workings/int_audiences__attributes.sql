-- A person with several profiles has what was written last, on whichever.
with

attributes as (
    select * from {{ ref("stg_customerio__attributes") }}
),

profiles as (
    select * from {{ ref("int_identity__profiles") }}
),

audiences as (
    select * from {{ ref("audiences") }}
),

wanted as (
    select distinct consent_attribute as attribute_name
    from audiences
    where consent_attribute is not null
    {% for name in var("audiences_attributes").values() -%}
    union distinct
    select {{ dbt.string_literal(name) }} as attribute_name
    {% endfor %}
),

written as (
    select
        profiles.person_id,
        attributes.attribute_name,
        attributes.attribute_value,
        attributes.changed_at,
        max(attributes.changed_at) over (
            partition by profiles.person_id, attributes.attribute_name
        ) as last_changed_at
    from attributes
    inner join wanted
        on attributes.attribute_name = wanted.attribute_name
    inner join profiles
        on
            attributes.workspace_id = profiles.workspace_id
            and attributes.cio_id = profiles.cio_id
),

-- of two values of one instant, consent is what both say
latest as (
    select
        person_id,
        attribute_name,
        {{ not_blank("max(attribute_value)") }} as attribute_value,
        min(case when {{ flag("attribute_value") }} then 1 else 0 end) = 1 as is_true
    from written
    where changed_at = last_changed_at
    group by person_id, attribute_name
)

select * from latest
