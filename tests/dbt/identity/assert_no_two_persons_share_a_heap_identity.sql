-- Two persons told to Heap under one identity would be one user there, for ever.
select heap_identity
from {{ ref("dim_persons") }}
where is_publishable
group by heap_identity
having count(*) > 1
