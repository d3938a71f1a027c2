-- A person stands in the first stratum that fits. The order within a stratum depends on the seed and
-- the person alone, so the same build and seed give the same sheet.
with

conflicting as (
    select distinct profiles.person_id
    from {fct_identity_refused_links} as refused
    inner join {int_identity__profiles} as profiles
        on
            refused.workspace_id = profiles.workspace_id
            and refused.cio_id = profiles.cio_id
    where refused.reason <> 'placeholder'
),

stratified as (
    select
        persons.*,
        case
            when conflicting.person_id is not null or persons.match_status = 'ambiguous'
                then 'conflicting'
            when persons.count_profiles > 1 then 'merged'
            when persons.is_publishable and persons.match_status <> 'unmatched' then 'matched'
            else 'unmatched'
        end as stratum,
        md5($seed || ':' || persons.person_id) as draw
    from {dim_persons} as persons
    left join conflicting on persons.person_id = conflicting.person_id
),

ranked as (
    select
        *,
        row_number() over (partition by stratum order by draw) as place
    from stratified
),

chosen as (
    select *
    from ranked
    order by place, stratum
    limit $size
),

evidence as (
    select
        links.person_id,
        string_agg(distinct links.evidence, ', ' order by links.evidence) as evidence
    from {fct_identity_links} as links
    inner join chosen on links.person_id = chosen.person_id
    group by links.person_id
),

held as (
    select
        spellings.person_id,
        string_agg(
            spellings.identifier_type || ' ' || spellings.identifier,
            '; ' order by spellings.identifier_type, spellings.identifier, spellings.valid_from
        ) as identifiers
    from {map_identifiers} as spellings
    inner join chosen on spellings.person_id = chosen.person_id
    group by spellings.person_id
)

select
    chosen.stratum,
    chosen.person_id,
    chosen.workspace_id,
    chosen.customer_id,
    chosen.email,
    chosen.heap_identity,
    chosen.match_status,
    chosen.count_profiles,
    evidence.evidence,
    held.identifiers
from chosen
left join evidence on chosen.person_id = evidence.person_id
left join held on chosen.person_id = held.person_id
order by chosen.stratum, chosen.place
