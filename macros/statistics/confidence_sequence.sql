{#- Asymptotic confidence sequence (Waudby-Smith and others): an interval that may be looked at
    every week. `units` counts both arms, `tuning_n` is the registry's planned_n and stays fixed
    for the season; at units = tuning_n it is 1.549 times the fixed interval. -#}

{% macro sequence_rho_squared(alpha, tuning_n) -%}
    ((-2.0 * ln({{ alpha }}) + ln(-2.0 * ln({{ alpha }}) + 1.0)) / nullif({{ tuning_n }}, 0))
{%- endmacro %}

{% macro sequence_halfwidth(standard_error, units, rho_squared, alpha) -%}
    {{ standard_error }} * sqrt(cast({{ units }} as double)) * sqrt(
        2.0 * ({{ units }} * {{ rho_squared }} + 1.0)
        / nullif(cast({{ units }} as double) * {{ units }} * {{ rho_squared }}, 0)
        * ln(sqrt({{ units }} * {{ rho_squared }} + 1.0) / {{ alpha }})
    )
{%- endmacro %}

{% macro sequence_p_value(z_score, units, rho_squared) -%}
    least(
        1.0,
        sqrt({{ units }} * {{ rho_squared }} + 1.0) * exp(
            -1.0 * {{ units }} * {{ rho_squared }} * {{ z_score }} * {{ z_score }}
            / (2.0 * ({{ units }} * {{ rho_squared }} + 1.0))
        )
    )
{%- endmacro %}
