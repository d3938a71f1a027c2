{% macro reason_words() -%}
    {#- What a reason code of health or lift means, as the page says it. -#}
    {{ return({
        "srm": "the arms do not have the sizes that were declared (sample ratio): something drops "
            ~ "people from one arm",
        "crossover_rate": "too many people were in two arms",
        "contamination": "too many held-out people were shown the journey's messages",
        "allocation_changed": "the split was changed, so the estimate is stratified by allocation",
        "definition_changed": "a segment or identity definition changed during the experiment",
        "outcome_visibility": "outcomes are not equally visible in both arms",
        "late_label": "too many people were shown a message before they were assigned",
        "underpowered": "fewer people have completed their window than were planned",
        "immature": "nobody has completed the window yet",
        "few_events": "fewer than ten conversions, or fewer than ten without one, in an arm",
        "skew": "a few large values decide the mean, so the interval is withheld",
        "winner_picked": "people who came after a winner was picked are left out",
        "cluster": "whole companies or households were randomised, not people",
    }) }}
{%- endmacro %}
