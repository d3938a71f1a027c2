{% test reasons_are_sorted(model, column_name, more=[]) %}
    {#- Reasons hold known codes only, each once, in alphabetical order; `more` names those of one relation. -#}
    {%- set text = "('||' || " ~ column_name ~ " || '||')" -%}
    {%- set codes = {} -%}
    {%- for code in more -%}
        {%- do codes.update({code: dbt.position("'||" ~ code ~ "||'", text) ~ " > 0"}) -%}
    {%- endfor %}
    select *
    from {{ model }}
    where {{ column_name }} <> {{ reasons_with(column_name, codes) }}
{% endtest %}
