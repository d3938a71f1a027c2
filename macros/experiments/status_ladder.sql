{#- What may be said of a comparison of arms. Every relation that has a status asks here, so that none
    refuses less than the lift. -#}

{% macro contrast_guardrails() -%}
    {#- The guardrails of a whole experiment that the ladder reads, columns of int_experiments__verdicts. -#}
    {{- return([
        "crossover_rate", "contamination", "late_label", "allocation_changed", "winner_picked",
        "outcome_visibility", "definition_changed", "cluster",
    ]) -}}
{%- endmacro %}

{% macro verdict_columns(verdicts="verdicts") -%}
    {#- The columns of int_experiments__verdicts beside an estimate; the rest of the flags is its own. -#}
    {{ verdicts }}.has_srm
    {%- for guardrail in contrast_guardrails() %},
    {{ verdicts }}.{{ guardrail }}
    {%- endfor %}
{%- endmacro %}

{% macro contrast_status(insufficient=[]) -%}
    {#- invalid over insufficient over underpowered over ok; `insufficient` adds flags of one relation. -#}
    case
        when
            has_srm
            or crossover_rate = 'invalid'
            or contamination = 'invalid'
            or late_label = 'invalid'
            or has_visibility_gap
            then 'invalid'
        when
            is_immature
            or has_few_events
            or cluster <> 'ok'
            {%- for flag in insufficient %}
            or {{ flag }}
            {%- endfor %}
            then 'insufficient'
        when is_underpowered then 'underpowered'
        else 'ok'
    end
{%- endmacro %}

{% macro contrast_codes() -%}
    {#- The codes behind the status, warnings included, and when each holds. -#}
    {{- return({
        "srm": "has_srm",
        "crossover_rate": "crossover_rate <> 'ok'",
        "contamination": "contamination <> 'ok'",
        "late_label": "late_label <> 'ok'",
        "allocation_changed": "allocation_changed <> 'ok'",
        "winner_picked": "winner_picked <> 'ok'",
        "definition_changed": "definition_changed <> 'ok'",
        "outcome_visibility": "has_visibility_gap",
        "cluster": "cluster <> 'ok'",
        "immature": "is_immature",
        "few_events": "has_few_events",
        "underpowered": "is_underpowered",
    }) -}}
{%- endmacro %}

{% macro contrast_reasons(more={}) -%}
    {#- Sorted; `more` adds codes of one relation. -#}
    {{ sorted_codes(dict(contrast_codes(), **more)) }}
{%- endmacro %}

{% macro reasons_with(reasons, more) -%}
    {#- Reasons that were given already, and those of `more`, sorted. -#}
    {%- set codes = dict(more) -%}
    {%- for code in contrast_codes().keys() | list + ["skew", "no_variance"] -%}
        {%- do codes.update({
            code: dbt.position("'||" ~ code ~ "||'", "('||' || " ~ reasons ~ " || '||')") ~ " > 0"
        }) -%}
    {%- endfor -%}
    {{ sorted_codes(codes) }}
{%- endmacro %}

{% macro may_be_told(status="status") -%}
    {#- Otherwise there is no headline: estimate, limits and p-value are null. -#}
    {{ status }} in ('ok', 'underpowered')
{%- endmacro %}

{% macro status_in_all_arms(experiment_key, status, is_control="false") -%}
    {#- For rows that stand whether or not anything was drawn, and in the control too. What was drawn and
        has no estimate yet is insufficient. -#}
    case
        when {{ experiment_key }} is null then 'no control'
        when {{ is_control }} then 'control'
        else coalesce({{ status }}, 'insufficient')
    end
{%- endmacro %}

{% macro reasons_in_all_arms(experiment_key, reasons, is_control="false") -%}
    case
        when {{ experiment_key }} is null then 'no_control'
        when {{ is_control }} then ''
        else coalesce({{ reasons }}, 'immature')
    end
{%- endmacro %}
