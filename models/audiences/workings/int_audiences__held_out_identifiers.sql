-- Under whatever they go by now: an address that a held-out person shares with somebody else is theirs too,
-- in whichever workspace; ids are those of a workspace. Of a number nothing says that it went to another:
-- all that were ever written on any of their profiles are theirs.
with

held_out as (
    select * from {{ ref("int_audiences__held_out") }}
),

profiles as (
    select * from {{ ref("int_audiences__profiles") }}
),

identifiers as (
    select * from {{ ref("map_identifiers") }}
    where
        identifier_type in ('customer_id', 'email', 'cio_id')
        and valid_to is null
),

attributes as (
    select * from {{ ref("stg_customerio__attributes") }}
    where attribute_name = {{ dbt.string_literal(var("audiences_attributes").phone) }}
),

gone_by as (
    {% for type in ["customer_id", "email", "cio_id"] -%}
    select
        person_id,
        {{ "cast(null as " ~ dbt.type_bigint() ~ ")" if type == "email" else "workspace_id" }}
            as workspace_id,
        '{{ type }}' as identifier_type,
        {{ type }} as identifier
    from profiles
    where {{ type }} is not null
    union distinct
    {% endfor -%}
    select
        person_id,
        case when identifier_type <> 'email' then workspace_id end as workspace_id,
        identifier_type,
        identifier
    from identifiers
    union distinct
    select
        person_id,
        cast(null as {{ dbt.type_bigint() }}) as workspace_id,
        'email_root' as identifier_type,
        {{ email_root("email") }} as identifier
    from profiles
    where email is not null
    union distinct
    select
        profiles.person_id,
        cast(null as {{ dbt.type_bigint() }}) as workspace_id,
        'phone' as identifier_type,
        {{ phone_digits("attributes.attribute_value") }} as identifier
    from attributes
    inner join profiles
        on
            attributes.workspace_id = profiles.workspace_id
            and attributes.cio_id = profiles.cio_id
),

kept as (
    select distinct
        held_out.audience_key,
        gone_by.workspace_id,
        gone_by.identifier_type,
        gone_by.identifier
    from held_out
    inner join gone_by
        on held_out.person_id = gone_by.person_id
    where gone_by.identifier is not null
)

select * from kept
