{% macro attribute_history(name, type="text", into=none) -%}
    {#-
        CTEs that end in one named after the attribute (or `into`): the typed values of a Customer.io
        attribute through time, `(person_id, value, valid_from, valid_to)`, half-open, null: still.

        name: exactly as the brand writes it; `First_Name` and `first_name` are two.
        type: text, number (double), boolean, timestamp or date. What is no such value is null, and
        so is a removed one (null or empty text). Booleans: true, t, yes, y, on, 1, 1.0 and their
        opposites in any case. Timestamps: as files are read (instant_of_text); a date may also be a day
        since 1900, as birthdays are.

        A person with several profiles has the value that was written last, on whichever.
    -#}
    {%- set history = into or modules.re.sub("\\W+", "_", name) | lower -%}
    {%- set types = ["text", "number", "boolean", "timestamp", "date"] -%}
    {%- if type not in types -%}
        {{ exceptions.raise_compiler_error(
            "attribute_history('" ~ name ~ "'): the type is one of " ~ types | join(", ")
            ~ ", not '" ~ type ~ "'."
        ) }}
    {%- endif -%}
    {{ history }}_profiles as (
        select * from {{ ref("int_identity__profiles") }}
    ),

    {{ history }}_attributes as (
        select * from {{ ref("stg_customerio__attributes") }}
        where attribute_name = '{{ name | replace("'", "''") }}'
    ),

    {{ history }}_changes as (
        select
            {{ history }}_profiles.person_id,
            max({{ space_trimmed(history ~ "_attributes.attribute_value") }}) as text_value,
            {{ history }}_attributes.changed_at as valid_from
        from {{ history }}_attributes
        inner join {{ history }}_profiles
            on
                {{ history }}_attributes.workspace_id = {{ history }}_profiles.workspace_id
                and {{ history }}_attributes.cio_id = {{ history }}_profiles.cio_id
        group by {{ history }}_profiles.person_id, {{ history }}_attributes.changed_at
    ),

    {{ history }} as (
        select
            person_id,
            {{ attribute_value_as("text_value", type) }} as value,
            valid_from,
            lead(valid_from) over (
                partition by person_id
                order by valid_from
            ) as valid_to
        from {{ history }}_changes
    )
{%- endmacro %}

{% macro attribute_value_as(text, type) -%}
    {%- if type == "boolean" -%}
    {{ flag(text) }}
    {%- elif type == "number" -%}
    {%- set number = safe_cast_as("nullif(" ~ text ~ ", '')", "double") -%}
    {#- neither NaN nor infinity is one: a single one would be the sum of all -#}
    case when abs({{ number }}) <= 1.7976931348623157e308 then {{ number }} end
    {%- elif type == "timestamp" -%}
    {{ instant_of_text(text) }}
    {%- elif type == "date" -%}
    coalesce(
        cast({{ instant_of_text(text) }} as date),
        {#- nothing happens before 1990, but people were born -#}
        case
            when {{ text }} between '1900-01-01' and '1989-12-31' and length({{ text }}) = 10
                then {{ safe_cast_as(text, "date") }}
        end
    )
    {%- else -%}
    nullif({{ text }}, '')
    {%- endif -%}
{%- endmacro %}
