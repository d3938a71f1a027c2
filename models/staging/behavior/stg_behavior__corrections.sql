-- Only lines that were delivered more than once are sorted: they are few.
with

{{ event_rows() }},

repeated as (
    select
        event_id,
        event_name,
        product_id
    from event_rows
    group by event_id, event_name, product_id
    having count(*) > 1
),

versions as (
    select
        event_rows.event_id,
        event_rows.customer_id,
        event_rows.email,
        event_rows.event_name,
        event_rows.product_id,
        event_rows.category,
        event_rows.value,
        event_rows.occurred_at,
        event_rows.source_file,
        row_number() over (
            partition by event_rows.event_id, event_rows.event_name, event_rows.product_id
            order by {{ last_version_first() }}
        ) as version_rank
    from event_rows
    inner join repeated
        on
            event_rows.event_id = repeated.event_id
            and event_rows.event_name = repeated.event_name
            and coalesce(event_rows.product_id, '') = coalesce(repeated.product_id, '')
),

followed as (
    select
        later.customer_id,
        earlier.customer_id as earlier_customer_id,
        later.email,
        earlier.email as earlier_email,
        later.event_name,
        later.category,
        earlier.category as earlier_category,
        later.value,
        earlier.value as earlier_value,
        later.occurred_at,
        earlier.occurred_at as earlier_occurred_at,
        later.source_file
    from versions as later
    inner join versions as earlier
        on
            later.event_id = earlier.event_id
            and later.event_name = earlier.event_name
            and coalesce(later.product_id, '') = coalesce(earlier.product_id, '')
            and later.version_rank = earlier.version_rank - 1
),

-- a row that says again what stood already corrects nothing
corrections as (
    select
        source_file as file_name,
        event_name,
        count(*) as count_corrections
    from followed
    where
        customer_id is distinct from earlier_customer_id
        or email is distinct from earlier_email
        or category is distinct from earlier_category
        or value is distinct from earlier_value
        or occurred_at is distinct from earlier_occurred_at
    group by source_file, event_name
)

select * from corrections
