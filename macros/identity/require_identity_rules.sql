{% macro require_identity_rules() -%}
    {#-
        No rule, no build: stops with a sentence where the rules declare no shared identifier, or
        where they name another primary identifier than the warehouse was built with and no
        migration is declared. Returns nothing to the SQL.
    -#}
    {%- if execute and flags.WHICH in ("build", "run") -%}
        {%- set primaries = run_query(
            "select count(*) as count_rules from " ~ ref("identity_rules") ~ " where lower(trim(role)) = 'primary'"
        ).columns[0].values()[0] | int -%}
        {%- if primaries == 0 -%}
            {{ exceptions.raise_compiler_error(
                "identity_rules.csv declares no primary identifier, so nobody can be told apart: "
                ~ "declare one row with the role primary (ours is customer_id)."
            ) }}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}
