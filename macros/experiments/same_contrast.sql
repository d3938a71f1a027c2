{% macro same_contrast(left, right) -%}
    {#- The join of two relations that have a row per contrast and allocation version. -#}
    {%- for column in [
        "experiment_key", "read_at", "population", "stratum", "metric_key", "arm", "allocation_version"
    ] %}
    {{ "and " if not loop.first }}{{ left }}.{{ column }} = {{ right }}.{{ column }}
    {%- endfor %}
{%- endmacro %}
