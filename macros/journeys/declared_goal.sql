{% macro declared_goal(workspace_id, journey_id) -%}
    {#-
        The goal that `conversions_goals` declares of a journey: as `208301/101`, or of all journeys of a
        workspace, as `208301`. Null where it says nothing.
    -#}
    {%- set goals = var("conversions_goals") or {} -%}
    {%- for journey, goal in goals.items() -%}
        {%- if not modules.re.fullmatch("[0-9]+(/[A-Za-z0-9_-]+)?", journey | string)
            or not modules.re.fullmatch("[a-z][a-z0-9_]*", goal | string) -%}
            {{ exceptions.raise_compiler_error(
                "The var conversions_goals says '" ~ journey ~ ": " ~ goal ~ "': write a workspace, or a workspace and a"
                ~ " journey as 208301/101, and a behavior of behavior_map.csv."
            ) }}
        {%- endif -%}
    {%- endfor -%}
    {%- if goals -%}
    case
        {%- for journey, goal in goals.items() if "/" in journey | string %}
        when
            {{ workspace_id }} = {{ (journey | string).split("/")[0] }}
            and {{ journey_id }} = '{{ (journey | string).split("/")[1] }}'
            then '{{ goal }}'
        {%- endfor %}
        {%- for journey, goal in goals.items() if "/" not in journey | string %}
        when {{ workspace_id }} = {{ journey }} then '{{ goal }}'
        {%- endfor %}
    end
    {%- else -%}
    cast(null as {{ dbt.type_string() }})
    {%- endif -%}
{%- endmacro %}
