{% macro safe_cast_as(expression, type) -%}
    {#- The value in that type, or null where it is no such value. -#}
    {{ return(adapter.dispatch("safe_cast_as", "counterfoil")(expression, type)) }}
{%- endmacro %}

{% macro default__safe_cast_as(expression, type) -%}
    try_cast({{ expression }} as {{ type }})
{%- endmacro %}

{% macro spark__safe_cast_as(expression, type) -%}
    {#- Spark reads `1.0` as no whole number, `1_000` as none at all, `1d` as one, and a day with anything
        after it as a day. -#}
    {%- if type == "bigint" -%}
        try_cast({{ safe_cast_as(expression, "decimal(38, 0)") }} as bigint)
    {%- elif type == "date" -%}
        case
            when {{ expression }} rlike r'^[0-9]{4}([-/ ])[0-9]{2}\1[0-9]{2}\z'
                then try_cast(translate({{ expression }}, '/ ', '--') as date)
        end
    {%- else -%}
        {%- set digits = "[0-9]+(_[0-9]+)*" -%}
        case
            when {{ expression }} rlike r'^\s*[-+]?({{ digits }}([.]({{ digits }})?)?|[.]{{ digits }})([eE][-+]?[0-9]+)?\s*\z'
                then try_cast(replace({{ expression }}, '_', '') as {{ type }})
        end
    {%- endif -%}
{%- endmacro %}
