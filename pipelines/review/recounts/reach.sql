-- Who of an arm was reached, counted from its units: a person is one, whatever the metrics.
select
    count(distinct person_id) as count_rows,
    count(distinct person_id) as count_people,
    count(distinct person_id) filter (is_exposed_real) as count_reached,
    count(distinct person_id) filter (is_exposed_ghost) as count_ghost,
    count(distinct person_id) filter (is_contaminated) as count_contaminated,
    count(distinct person_id) filter (is_exposed_real) / nullif(count(distinct person_id), 0)
        as reached_share
from {fct_experiment_units}
where
    experiment_key = $experiment_key
    and arm = $arm
