{{ config(tags=["fails"]) }}
select 9223372036854775807 + counted * counted as too_much
from {{ source("nasty", "numbers") }}
