with

arm_totals as (
    select * from {{ ref("int_experiments__arm_totals") }}
),

arms as (
    select * from {{ ref("int_experiments__arms") }}
),

{{ contrasts_of("arm_totals") }}

select * from contrasted
