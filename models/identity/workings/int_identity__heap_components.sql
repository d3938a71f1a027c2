{{ config(materialized="connected_components") }}

select
    from_heap_user_id as left_id,
    to_heap_user_id as right_id
from {{ ref("stg_heap__user_migrations") }}
