{% macro insight_setting(name) -%}
    {#- What analysts may turn (docs/insight.md). A dbt var `insight_<name>` replaces one. -#}
    {%- set defaults = {
        "click_days": 7,
        "exposure_days": 7,
        "funnel_hours": 168,
        "landmark_hours": [1, 4, 24, 72],
        "minimum_gaps": 30,
        "margin_share": 0.5,
        "reactivation_experiments": [],
        "lapsed_share": 0.5,
    } -%}
    {{- return(var("insight_" ~ name, defaults[name])) -}}
{%- endmacro %}
