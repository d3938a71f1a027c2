-- What was loaded of a family, and what was not.
select
    count(*) as count_rows,
    count(*) as count_files,
    (
        select count(*)
        from {load_quarantine}
        where family is not distinct from $family
    ) as count_quarantined,
    (
        select count(*)
        from {load_rejected_rows}
        where family is not distinct from $family
    ) as count_rejected_rows
from {load_files}
where family is not distinct from $family
