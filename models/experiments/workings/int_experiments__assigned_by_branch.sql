with

arms as (
    select * from {{ ref("int_experiments__arms") }}
),

outputs as (
    select * from {{ ref("stg_customerio__outputs") }}
),

subjects as (
    select * from {{ ref("stg_customerio__subjects") }}
),

{{ assigned_by_index("branch", "branch_index") }}

select * from told
