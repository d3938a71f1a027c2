-- What a file of an ad platform holds, as the registry of its columns has it written and hashed.
with

members as (
    select * from {{ ref("fct_audience_members") }}
    where is_member
),

audiences as (
    select * from {{ ref("audiences") }}
    where destination = 'ads_file'
),

file_columns as (
    select * from {{ ref("ad_file_columns") }}
),

profiles as (
    select * from {{ ref("int_audiences__profiles") }}
),

attributes as (
    select * from {{ ref("int_audiences__attributes") }}
),

attribute_fields as (
    {% for field, name in var("audiences_attributes").items() -%}
    select
        {{ dbt.string_literal(field) }} as field,
        {{ dbt.string_literal(name) }} as attribute_name
    {{ "union all" if not loop.last }}
    {% endfor %}
),

written as (
    select
        members.audience_key,
        members.person_id,
        members.cio_id,
        file_columns.position,
        file_columns.heading,
        file_columns.is_hashed,
        '|' || coalesce(file_columns.normalisation, '') || '|' as normalisation,
        {{ trimmed(
            "case file_columns.field"
            ~ " when 'email' then members.identifier"
            ~ " when 'extern_id' then profiles.customer_id"
            ~ " else attributes.attribute_value end"
        ) }}
            as written_value
    from members
    inner join audiences
        on members.audience_key = audiences.audience_key
    inner join file_columns
        on audiences.destination_id = file_columns.platform
    left join profiles
        on
            members.workspace_id = profiles.workspace_id
            and members.cio_id = profiles.cio_id
    left join attribute_fields
        on file_columns.field = attribute_fields.field
    left join attributes
        on
            members.person_id = attributes.person_id
            and attribute_fields.attribute_name = attributes.attribute_name
),

lowered as (
    select
        *,
        case
            when normalisation like '%|lower|%' then {{ lowered("written_value") }}
            else written_value
        end as lowered_value
    from written
),

closed as (
    select
        *,
        case
            when normalisation like '%|no_blanks|%' then {{ without("lowered_value", "[" ~ blanks() ~ "]") }}
            else lowered_value
        end as closed_value
    from lowered
),

untagged as (
    select
        *,
        case
            when normalisation like '%|no_tag|%' and closed_value like '%@%'
                then {{ glued([
                    without("split_part(closed_value, '@', 1)", "[+][^@]*"), "'@'", "split_part(closed_value, '@', 2)"
                ]) }}
            else closed_value
        end as untagged_value
    from closed
),

normalised as (
    select
        *,
        case
            when normalisation like '%|e164|%' then '+' || {{ phone_digits("untagged_value") }}
            when normalisation like '%|digits|%' then {{ phone_digits("untagged_value") }}
            when
                normalisation like '%|no_gmail_dots|%'
                and split_part(untagged_value, '@', 2) in ('gmail.com', 'googlemail.com')
                then {{ glued([
                    "replace(split_part(untagged_value, '@', 1), '.', '')", "'@'", "split_part(untagged_value, '@', 2)"
                ]) }}
            else untagged_value
        end as normal_value
    from untagged
),

cells as (
    select
        -- ids
        audience_key,
        person_id,
        cio_id,
        -- attributes
        heading,
        case when is_hashed then {{ sha256_hex("nullif(normal_value, '')") }} else normal_value end as cell,
        -- numbers
        position
    from normalised
)

select * from cells
