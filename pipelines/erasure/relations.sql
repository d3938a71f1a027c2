-- The columns of all tables of a database, and of views over files that a list beside them names.
with
listings as (
    select
        database_name,
        schema_name
    from duckdb_tables()
    where table_name = '{listing}'
),

relations as (
    select
        database_name,
        schema_name,
        table_name,
        false as is_view
    from duckdb_tables()
    union all
    select
        viewed.database_name,
        viewed.schema_name,
        viewed.view_name as table_name,
        true as is_view
    from duckdb_views() as viewed
    semi join listings
        on viewed.database_name = listings.database_name and viewed.schema_name = listings.schema_name
)

select
    held.schema_name,
    held.table_name,
    held.column_name,
    held.data_type,
    relations.is_view
from duckdb_columns() as held
inner join relations
    on
        held.database_name = relations.database_name
        and held.schema_name = relations.schema_name
        and held.table_name = relations.table_name
where
    held.database_name = coalesce(nullif($1, ''), current_database())
    and not held.internal
order by all
