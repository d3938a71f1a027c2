{% macro fixed_limits(contrasts, inferences=none) -%}
    {#- Limits of each allocation version: Newcombe for rates, Welch for means. Rates alone need no
        inferences. -#}
    {%- for limit in ["low", "high"] %}
    {%- if inferences %}
    coalesce({{ contrasts }}.newcombe_{{ limit }}, {{ inferences }}.welch_{{ limit }})
    {%- else %}
    {{ contrasts }}.newcombe_{{ limit }}
    {%- endif %} as fixed_{{ limit }}{{ "," if not loop.last }}
    {%- endfor %}
{%- endmacro %}
