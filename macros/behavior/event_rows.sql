{% macro event_rows() -%}
    {#-
        CTEs that end in `event_rows`: the rows of behavior files as delivered, those that can be seen
        at as_of. Rows of one event_id, event_name and product_id are versions of one line.
    -#}
    delivered_events as (
        select * from {{ source("behavior", "events") }}
    ),

    event_rows as (
        select
            {{ not_blank("event_id") }} as event_id,
            {{ not_blank("customer_id") }} as customer_id,
            {{ not_blank("email") }} as email,
            {{ not_blank("event_name") }} as event_name,
            {{ not_blank("product_id") }} as product_id,
            {{ not_blank("category") }} as category,
            cast(value as decimal(18, 2)) as value,
            occurred_at,
            _source_file as source_file,
            _source_folder as source_folder,
            _source_line as source_line
        from delivered_events
        where
            {{ not_blank("event_id") }} is not null
            and {{ not_blank("event_name") }} is not null
            and occurred_at < {{ as_of() }}
    )
{%- endmacro %}

{% macro last_version_first() -%}
    {#-
        The order of the versions of a line: by file name, by folder where files share a name, then by
        place in the file. Rows from before places were kept, and files that lie alike in two exports,
        are told apart by what they say: the order of loading never counts.
    -#}
    source_file desc,
    source_folder desc nulls last,
    source_line desc nulls last,
    occurred_at desc,
    value desc nulls last,
    customer_id desc nulls last,
    email desc nulls last,
    category desc nulls last
{%- endmacro %}
