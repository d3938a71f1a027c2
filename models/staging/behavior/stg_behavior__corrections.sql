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

-- a row that says again what stood already corrects nothing
corrections as (
    select
        later.source_file as file_name,
        later.event_name,
        count(*) as count_corrections
    from versions as later
    inner join versions as earlier
        on
            later.event_id = earlier.event_id
            and later.event_name = earlier.event_name
            and coalesce(later.product_id, '') = coalesce(earlier.product_id, '')
            and later.version_rank = earlier.version_rank - 1
    where
        later.customer_id is distinct from earlier.customer_id
        or later.email is distinct from earlier.email
        or later.category is distinct from earlier.category
        or later.value is distinct from earlier.value
        or later.occurred_at is distinct from earlier.occurred_at
    group by later.source_file, later.event_name
)

select * from corrections
