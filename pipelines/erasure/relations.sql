-- The columns of all tables of a database, and of views over files that a list beside them names.
with
    listings as (
        select database_name, schema_name
        from duckdb_tables()
        where table_name = '{listing}'
    ),

    relations as (
        select database_name, schema_name, table_name, false as is_view
        from duckdb_tables()
        union all
        select database_name, schema_name, view_name as table_name, true as is_view
        from duckdb_views()
        semi join listings using (database_name, schema_name)
    )

select
    duckdb_columns.schema_name,
    duckdb_columns.table_name,
    duckdb_columns.column_name,
    duckdb_columns.data_type,
    relations.is_view
from duckdb_columns()
inner join relations using (database_name, schema_name, table_name)
where
    database_name = coalesce(nullif($1, ''), current_database())
    and not duckdb_columns.internal
order by all
