{% macro experiments_setting(name) -%}
    {#- The thresholds of docs/measurement.md. A dbt var `experiments_<name>` replaces one. -#}
    {%- set defaults = {
        "window_hours": 168,
        "alpha": 0.05,
        "tuning_n": 5000,
        "crossover_warn": 0.01,
        "crossover_invalid": 0.05,
        "contamination_warn": 0.01,
        "contamination_invalid": 0.10,
        "late_label_invalid": 0.005,
        "minimum_events": 10,
        "skew_factor": 355,
        "visibility_critical": 10.827566170662733,
        "linked_outcomes_share": 0.01,
        "reach_minimum": 0.3,
        "history_weeks": 52,
        "covariate": "",
    } -%}
    {{- var("experiments_" ~ name, defaults[name]) -}}
{%- endmacro %}
