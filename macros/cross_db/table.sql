{% materialization table, adapter="duckdb", supported_languages=["sql", "python"] %}
    {#- A build is made beside the one that is read, so nobody sees a table that is on its way: it
        takes its name at once, where dbt-duckdb makes it under another one and renames twice. The
        former table goes in the same transaction; Python writes by a connection of its own. -#}
    {%- set former = load_cached_relation(this) -%}
    {%- set table = this.incorporate(type="table") -%}
    {%- set language = model["language"] -%}
    {%- if former is not none -%}
        {% call statement("former", auto_begin=language == "sql") -%}
            drop {{ former.type }} if exists {{ former.render() }} cascade
        {%- endcall %}
    {%- endif -%}
    {% call statement("main", language=language) -%}
        {{ create_table_as(False, table, compiled_code, language) }}
    {%- endcall %}
    {%- do adapter.commit() -%}
    {{ return({"relations": [table]}) }}
{% endmaterialization %}
