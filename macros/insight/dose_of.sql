{#- Bands of the messages somebody got within seven days: each begins where insight_dose_bands says. -#}

{% macro dose_number_of(count_week) -%}
    case
        {%- for least in var("insight_dose_bands") | reverse %}
        when {{ count_week }} >= {{ least }} then {{ loop.revindex }}
        {%- endfor %}
    end
{%- endmacro %}

{% macro dose_named(dose_number) -%}
    {%- set bands = var("insight_dose_bands") -%}
    case {{ dose_number }}
        {%- for least in bands %}
        {%- set most = none if loop.last else bands[loop.index] - 1 %}
        when {{ loop.index }}
            then '{{ least }}{{ " or more" if most is none else " to " ~ most if most > least else "" }}'
        {%- endfor %}
    end
{%- endmacro %}

{% macro dose_from(dose_number) -%}
    case {{ dose_number }}
        {%- for least in var("insight_dose_bands") %}
        when {{ loop.index }} then {{ least }}
        {%- endfor %}
    end
{%- endmacro %}
