{% macro spark__split_part(string_text, delimiter_text, part_number) -%}
    {#- dbt-spark's own splits by a pattern, and fails under ANSI where there are not so many parts: null here. -#}
    get(split({{ string_text }}, concat(r'\Q', {{ delimiter_text }}, r'\E')), {{ part_number }} - 1)
{%- endmacro %}
