{#- Bands of the time from the trigger to the send, from the hours at which arms are compared too. -#}

{% macro timing_number_of(minutes) -%}
    case
        {%- for hours in var("insight_landmark_hours") %}
        when {{ minutes }} < {{ hours * 60 }} then {{ loop.index }}
        {%- endfor %}
        else {{ var("insight_landmark_hours") | length + 1 }}
    end
{%- endmacro %}

{% macro timing_named(timing_number) -%}
    {%- set hours = var("insight_landmark_hours") -%}
    case {{ timing_number }}
        {%- for bound in hours %}
        {%- set span = "under " ~ bound if loop.first else hours[loop.index0 - 1] ~ " to " ~ bound %}
        when {{ loop.index }} then '{{ span }} {{ "hour" if bound == 1 else "hours" }}'
        {%- endfor %}
        else 'from {{ hours[-1] }} hours'
    end
{%- endmacro %}
