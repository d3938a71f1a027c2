{% macro contrast_status() -%}
    {#- What may be said of a contrast: invalid over insufficient over underpowered over ok. Every
        relation that compares arms asks here, so that none refuses less than the lift. -#}
    case
        when
            has_srm
            or crossover_rate = 'invalid'
            or contamination = 'invalid'
            or late_label = 'invalid'
            or has_visibility_gap
            then 'invalid'
        when is_immature or has_few_events or cluster <> 'ok' then 'insufficient'
        when is_underpowered then 'underpowered'
        else 'ok'
    end
{%- endmacro %}

{% macro contrast_reasons(more={}) -%}
    {#- The codes behind the status, warnings included; `more` adds those of one relation. -#}
    {{ sorted_codes(dict({
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
    }, **more)) }}
{%- endmacro %}
