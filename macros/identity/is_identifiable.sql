{% macro is_identifiable(persons="persons") -%}
    {#- 1 where the person has an identity under which Heap may be told of them, else 0: what is ambiguous,
        deleted or suppressed cannot be used. -#}
    case when {{ persons }}.is_publishable then 1 else 0 end
{%- endmacro %}

{% macro is_matched(persons="persons") -%}
    {#- 1 where the person's status is matched, else 0; null without Heap Connect. -#}
    case
        when {{ persons }}.is_known_in_heap is null then null
        when {{ persons }}.match_status = 'matched' then 1
        else 0
    end
{%- endmacro %}

{% macro rate(count_some, count_all) -%}
    cast({{ count_some }} as double) / nullif({{ count_all }}, 0)
{%- endmacro %}

{% macro identity_minimum_rate(workspace_id) -%}
    {#- The match rate that a workspace must reach: its own where it has one, else that of all. -#}
    {%- set own_rates = var("identity_minimum_rate_by_workspace") -%}
    {%- if own_rates -%}
    case
        {%- for own_workspace_id, own_rate in own_rates.items() %}
        when {{ workspace_id }} = {{ own_workspace_id }} then {{ own_rate }}
        {%- endfor %}
        else {{ var("identity_minimum_rate") }}
    end
    {%- else -%}
    {{ var("identity_minimum_rate") }}
    {%- endif -%}
{%- endmacro %}
