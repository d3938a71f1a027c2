-- The Newcombe limits of the SQL macros are the library module's, to 1e-9.
with

contrasts as (
    select * from {{ ref("int_experiments__contrasts") }}
    where
        aggregation = 'any'
        and is_comparable
),

inferences as (
    select * from {{ ref("int_experiments__inference") }}
),

paired as (
    select
        contrasts.experiment_key,
        contrasts.newcombe_low,
        contrasts.newcombe_high,
        inferences.newcombe_low as library_low,
        inferences.newcombe_high as library_high
    from contrasts
    left join inferences
        on {{ same_contrast("contrasts", "inferences") }}
)

select *
from paired
where
    library_low is null
    or abs(newcombe_low - library_low) > 1e-9
    or abs(newcombe_high - library_high) > 1e-9
