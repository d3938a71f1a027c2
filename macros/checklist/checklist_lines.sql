{% macro checklist_lines() -%}
    {#- Every line of the checklist, in the order in which things must be right: those of the
        implementation, then those of a journey. A waiver may name no other line. -#}
    {{ return([
        "identifier_declared", "identifier_unchanged", "match_rate", "spot_check", "naming", "same_source",
        "standard_events", "event_recency", "key_properties", "exposure_without_click", "segments",
        "state_and_history", "holdouts", "major_holdouts", "sample_ratio", "holdouts_apart", "cadence",
        "cadence_kept", "freshness", "gaps", "webhooks", "quarantine", "rejected_rows",
        "refusals", "dead_letters", "read_back", "told_otherwise", "audiences", "audience_parity", "landed", "page",
        "entries", "names", "exposure", "clicks", "conversions", "holdout", "arms", "health",
        "holdout_label", "lift", "told", "funnel", "found_in_heap", "arrival", "complete", "timing_report",
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

{% macro standard_events() -%}
    {#- The four events that every brand tells Heap; each further one has an owner and a reason. -#}
    {{ return(["journey_entered", "message_sent", "message_clicked", "goal_converted"]) }}
{%- endmacro %}

{% macro count_properties(models) -%}
    {%- set found = [] -%}
    {%- for model in models -%}
        {%- do found.extend(property_columns(model)) -%}
    {%- endfor -%}
    {{ return(found | length) }}
{%- endmacro %}

{% macro property_columns(model) -%}
    {#- The columns of a Heap model that become properties. Empty while dbt still parses. -#}
    {%- set keys = ["publish_key", "heap_identity", "person_id", "occurred_at"] -%}
    {%- set found = [] -%}
    {%- if execute -%}
        {%- for node in graph.nodes.values() if node.name == model and node.resource_type == "model" -%}
            {%- for column in node.columns if column not in keys -%}
                {%- do found.append(column) -%}
            {%- endfor -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(found) }}
{%- endmacro %}
