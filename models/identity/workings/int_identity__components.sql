{{ config(materialized="connected_components") }}

select
    {{ profile_node("workspace_id", "left_cio_id") }} as left_id,
    {{ profile_node("workspace_id", "right_cio_id") }} as right_id
from {{ ref("int_identity__links") }}
