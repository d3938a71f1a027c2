{% macro told_by_any(flag, versions) -%}
    {#- True where any version of a row says so, null where none says anything: a later version that lacks
        the flag takes nothing back. -#}
    max(case when {{ flag }} then 1 when not {{ flag }} then 0 end) over (partition by {{ versions }}) = 1
{%- endmacro %}
