{{ config(materialized="connected_components") }}

select
    concat(cast(workspace_id as {{ dbt.type_string() }}), ':', left_cio_id) as left_id,
    concat(cast(workspace_id as {{ dbt.type_string() }}), ':', right_cio_id) as right_id
from {{ ref("int_identity__links") }}
