{% macro chi_square_critical(degrees_of_freedom) -%}
    {#- Critical values of chi-square at 0.001, one to nineteen degrees of freedom: a comparison
        needs no distribution function in SQL. Checked against scipy. -#}
    {%- set values = [
        10.827566170662733, 13.815510557964274, 16.26623619623813, 18.46682695290317,
        20.515005652432873, 22.457744484825323, 24.321886347856854, 26.12448155837614,
        27.877164871256568, 29.58829844507442, 31.264133620239985, 32.90949040736021,
        34.52817897487089, 36.12327368039813, 37.69729821835383, 39.252354790768464,
        40.79021670690253, 42.31239633167996, 43.82019596451753,
    ] -%}
    case {{ degrees_of_freedom }}
        {%- for value in values %}
        when {{ loop.index }} then cast({{ value }} as double)
        {%- endfor %}
    end
{%- endmacro %}
