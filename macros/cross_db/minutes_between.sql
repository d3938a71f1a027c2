{% macro minutes_between(from_instant, to_instant) -%}
    {#- Whole minutes passed, not minute marks crossed. -#}
    cast(floor({{ dbt.datediff(from_instant, to_instant, "second") }} / 60.0) as {{ dbt.type_bigint() }})
{%- endmacro %}
