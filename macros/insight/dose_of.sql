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
        when {{ loop.index }}
            then '{{ least ~ " or more" if loop.last else (least if bands[loop.index] == least + 1 else least ~ " to " ~ (bands[loop.index] - 1)) }}'
        {%- endfor %}
    end
{%- endmacro %}
