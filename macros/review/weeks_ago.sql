{% macro weeks_ago(instant) -%}
    {#- The week before as_of in which an instant lies: 1 is the last seven days, 2 the seven before. -#}
    greatest(
        1, cast(ceil({{ dbt.datediff(instant, as_of(), "second") }} / 604800.0) as {{ dbt.type_bigint() }})
    )
{%- endmacro %}

{% macro week_start(weeks_ago) -%}
    {#- The instant at which such a week begins; week 0 begins at as_of. -#}
    {{ dbt.dateadd("day", "-7 * " ~ weeks_ago, as_of()) }}
{%- endmacro %}
