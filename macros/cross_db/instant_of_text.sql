{% macro instant_of_text(text) -%}
    {#-
        The UTC instant that a text says, read as a load reads times (pipelines/loading/casts.py; a test
        holds the two together): ISO 8601 in the years 1990 to 2099, or unix time in the one unit in which
        it lies in the years 1990 to 2032. Null for anything else.
    -#}
    {{ return(adapter.dispatch("instant_of_text", "counterfoil")(text)) }}
{%- endmacro %}

{% macro default__instant_of_text(text) -%}
    case
        when {{ text }} rlike r'^({{ iso_pattern() }})\z' and left({{ text }}, 4) between '1990' and '2099'
            then try_cast(upper({{ text }}) as timestamp)
        when {{ text }} rlike r'^({{ unix_pattern() }})\z'
            then timestamp_micros({{ unix_micros(text, "div") }})
    end
{%- endmacro %}

{% macro duckdb__instant_of_text(text) -%}
    case
        when regexp_full_match({{ text }}, '{{ iso_pattern() }}') and left({{ text }}, 4) between '1990' and '2099'
            {#- a cast without a zone passes over the offset -#}
            then make_timestamp(epoch_us(try_cast(upper({{ text }}) as timestamp with time zone)))
        when regexp_full_match({{ text }}, '{{ unix_pattern() }}')
            then make_timestamp({{ unix_micros(text, "//") }})
    end
{%- endmacro %}

{% macro iso_pattern() -%}
[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])([Tt ]([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9]([.][0-9]+)?)?([Zz]| UTC|[+-](0[0-9]|1[0-4])(:?[0-5][0-9])?)?)?
{%- endmacro %}

{% macro unix_pattern() -%}
[1-9][0-9]{0,18}|[1-9][0-9]{0,15}[.][0-9]{0,9}
{%- endmacro %}

{% macro unix_micros(text, divided_by) -%}
    {#- Null outside the years 1990 to 2032; no number lies in them in two units. -#}
    {%- set whole = safe_cast_as("split_part(" ~ text ~ ", '.', 1)", "bigint") -%}
    {%- set fraction = "cast(rpad(split_part(" ~ text ~ ", '.', 2), 6, '0') as bigint)" -%}
    {%- set first, last = 631152000, 1988150400 -%}
    case
        when {{ whole }} >= {{ first }} and {{ whole }} < {{ last }}
            then {{ whole }} * 1000000 + {{ fraction }}
        when {{ whole }} >= {{ first }}000 and {{ whole }} < {{ last }}000
            then {{ whole }} * 1000 + {{ fraction }} {{ divided_by }} 1000
        when {{ whole }} >= {{ first }}000000 and {{ whole }} < {{ last }}000000
            then {{ whole }}
        when {{ whole }} >= {{ first }}000000000 and {{ whole }} < {{ last }}000000000
            then {{ whole }} {{ divided_by }} 1000
    end
{%- endmacro %}
