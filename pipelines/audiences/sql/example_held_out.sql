select profiles.cio_id
from {fct_experiment_assignments} as assignments
inner join {int_audiences__profiles} as profiles on assignments.person_id = profiles.person_id
where assignments.experiment_key = 'cart_recovery' and assignments.is_control
