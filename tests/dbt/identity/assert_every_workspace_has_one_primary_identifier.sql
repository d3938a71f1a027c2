-- Every workspace in the exports has exactly one primary identifier in identity_rules.csv.
with

known_profiles as (
    select distinct workspace_id
    from {{ ref("int_identity__known_profiles") }}
),

rules as (
    select * from {{ ref("int_identity__rules") }}
    where role = 'primary'
)

select known_profiles.workspace_id
from known_profiles
left join rules
    on known_profiles.workspace_id = rules.workspace_id
group by known_profiles.workspace_id
having count(rules.identifier_type) <> 1
