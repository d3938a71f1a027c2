{% macro checklist_lines() -%}
    {#- Every line of the checklist, in the order in which things must be right: those of the
        implementation, then those of a journey. A waiver may name no other line. -#}
    {{ return([
        "identifier_declared", "identifier_unchanged", "match_rate", "standard_events",
        "exposure_without_click", "segments", "state_and_history", "holdouts", "sample_ratio",
        "holdouts_apart", "cadence", "freshness", "gaps", "webhooks", "quarantine", "rejected_rows",
        "refusals", "dead_letters", "read_back", "told_otherwise", "audiences", "landed",
        "entries", "names", "exposure", "clicks", "conversions", "holdout", "arms", "health",
        "holdout_label", "lift", "told", "funnel",
    ]) }}
{%- endmacro %}

{% macro checklist_budgets() -%}
    {#- Limits that a waiver may name instead of the line that asks about them. -#}
    {{ return(["segment_budget"]) }}
{%- endmacro %}

{% macro checklist_place(line) -%}
    {#- Where a line stands in that order; null for a line that is not in it. -#}
    case {{ line }}
        {%- for known in checklist_lines() %}
        when '{{ known }}' then {{ loop.index }}
        {%- endfor %}
    end
{%- endmacro %}
