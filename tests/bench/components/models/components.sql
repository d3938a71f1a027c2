{{ config(materialized="connected_components", links=var("links", "all")) }}

{%- set table = "new_links" if var("links", "all") == "added" and is_patch() else "all_links" %}

select
    left_id,
    right_id
from {{ source("links", table) }}
