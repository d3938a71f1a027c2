{% macro is_identifiable(persons="persons") -%}
    {#- 1 where the person has an identity Heap could know, else 0. What is ambiguous cannot be used. -#}
    case
        when {{ persons }}.heap_identity is not null and {{ persons }}.match_status <> 'ambiguous' then 1
        else 0
    end
{%- endmacro %}

{% macro is_matched(persons="persons") -%}
    {#- 1 where Heap knows that identity by a session that is not ours, else 0; null without Heap Connect. -#}
    case
        when {{ persons }}.is_known_in_heap is null then null
        when {{ persons }}.is_known_in_heap and {{ persons }}.match_status <> 'ambiguous' then 1
        else 0
    end
{%- endmacro %}

{% macro rate(count_some, count_all) -%}
    cast({{ count_some }} as double) / nullif({{ count_all }}, 0)
{%- endmacro %}
