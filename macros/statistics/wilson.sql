{#- Wilson score limits of a rate, from counts. Null without trials. -#}

{% macro wilson_low(successes, trials, z) -%}
    greatest(
        0.0,
        (
            {{ successes }} + {{ z }} * {{ z }} / 2.0
            - {{ z }} * sqrt(
                {{ successes }} * ({{ trials }} - {{ successes }}) / nullif({{ trials }}, 0)
                + {{ z }} * {{ z }} / 4.0
            )
        ) / nullif({{ trials }} + {{ z }} * {{ z }}, 0)
    )
{%- endmacro %}

{% macro wilson_high(successes, trials, z) -%}
    least(
        1.0,
        (
            {{ successes }} + {{ z }} * {{ z }} / 2.0
            + {{ z }} * sqrt(
                {{ successes }} * ({{ trials }} - {{ successes }}) / nullif({{ trials }}, 0)
                + {{ z }} * {{ z }} / 4.0
            )
        ) / nullif({{ trials }} + {{ z }} * {{ z }}, 0)
    )
{%- endmacro %}
