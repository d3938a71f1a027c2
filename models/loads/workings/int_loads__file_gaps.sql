with

file_sequences as (
    select * from {{ ref("stg_loads__file_sequences") }}
),

numbered as (
    select distinct
        workspace_id,
        family,
        is_changes,
        file_sequence
    from file_sequences
    where
        workspace_id is not null
        and file_sequence > 0
),

stepped as (
    select
        *,
        lead(file_sequence) over (
            partition by workspace_id, family, is_changes order by file_sequence
        ) - file_sequence as step
    from numbered
),

counted as (
    select
        workspace_id,
        family,
        is_changes,
        step,
        count(*) as count_steps
    from stepped
    where step is not null
    group by workspace_id, family, is_changes, step
),

ranked as (
    select
        *,
        sum(count_steps) over (partition by workspace_id, family, is_changes) as count_all,
        row_number() over (
            partition by workspace_id, family, is_changes order by count_steps desc, step asc
        ) as place
    from counted
),

-- The vendor promises no numbering: a gap can only be told where files are numbered in even steps
even as (
    select
        workspace_id,
        family,
        is_changes,
        step as usual_step
    from ranked
    where
        place = 1
        and count_all > 1
        and count_steps >= {{ var("loads_even_steps_share") }} * count_all
),

measured as (
    select
        stepped.workspace_id,
        stepped.family,
        stepped.file_sequence,
        even.usual_step,
        -- a step that is no multiple of the usual one skips no number
        case
            when mod(stepped.step, even.usual_step) = 0
                then cast(floor(1.0 * stepped.step / even.usual_step) as {{ dbt.type_bigint() }}) - 1
            else 0
        end as count_missing
    from stepped
    inner join even
        on
            stepped.workspace_id = even.workspace_id
            and stepped.family = even.family
            and stepped.is_changes = even.is_changes
    where stepped.step is not null
),

summed as (
    select
        workspace_id,
        family,
        sum(count_missing) as count_missing,
        sum(count_missing) + count(*) + 1 as count_expected,
        min(case when count_missing > 0 then file_sequence end) as first_after
    from measured
    group by workspace_id, family
)

select * from summed
where count_missing > 0
