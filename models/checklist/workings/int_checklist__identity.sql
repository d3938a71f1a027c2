{%- set most_changed = var("checklist_most_changed_identifier_share") -%}
with

identity_rules as (
    select * from {{ ref("identity_rules") }}
),

identifiers as (
    select * from {{ ref("map_identifiers") }}
),

match_rates as (
    select * from {{ ref("fct_identity_match_rate") }}
),

-- One shared identifier is declared
primary_rules as (
    select
        coalesce(cast(workspace_id as {{ dbt.type_string() }}), 'all workspaces') as workspace,
        identifier_type,
        owner,
        decided_on
    from identity_rules
    where role = 'primary'
),

ranked_rules as (
    select
        *,
        row_number() over (order by workspace, identifier_type) as place
    from primary_rules
),

counted_rules as (
    select
        count(*) as count_rules,
        count(distinct workspace) as count_workspaces,
        count(case when owner is not null and decided_on is not null then 1 end) as count_decided,
        {{ listed_text(
            shown_name("identifier_type") ~ " || ' for ' || workspace || ', by ' || "
            ~ shown_name("coalesce(owner, 'nobody')")
            ~ " || ' on ' || coalesce(cast(decided_on as " ~ dbt.type_string() ~ "), 'no date')",
            "place", "; "
        ) }} as said
    from ranked_rules
),

-- It does not change under people
profiles as (
    select
        person_id,
        count(distinct identifier) as count_profiles
    from identifiers
    where identifier_type = 'cio_id'
    group by person_id
),

held_identifiers as (
    select
        identifiers.person_id,
        count(distinct identifiers.identifier) as count_held
    from identifiers
    inner join identity_rules
        on
            identifiers.identifier_type = identity_rules.identifier_type
            and (
                identity_rules.workspace_id is null
                or identifiers.workspace_id = identity_rules.workspace_id
            )
    where identity_rules.role = 'primary'
    group by identifiers.person_id
),

counted_changes as (
    select
        count(*) as count_persons,
        count(
            case when held_identifiers.count_held > coalesce(profiles.count_profiles, 1) then 1 end
        ) as count_changed
    from held_identifiers
    left join profiles on held_identifiers.person_id = profiles.person_id
),

-- Enough persons are found in Heap
judged_rates as (
    select
        workspace_id,
        minimum_rate,
        is_met,
        coalesce(match_rate, identifiable_rate) as rate,
        case
            when match_rate is null then 'identifiable (no Heap Connect)'
            else 'matched'
        end as kind_of_rate,
        row_number() over (order by workspace_id) as place,
        row_number() over (
            order by coalesce(match_rate, identifiable_rate) - minimum_rate, workspace_id
        ) as rank_of_margin
    from match_rates
    where
        coalesce(match_rate, identifiable_rate) is not null
        and minimum_rate is not null
),

counted_rates as (
    select
        count(*) as count_rates,
        count(case when is_met then 1 end) as count_met,
        max(case when rank_of_margin = 1 then rate end) as least_rate,
        max(case when rank_of_margin = 1 then minimum_rate end) as its_minimum,
        {{ listed_text(
            "'workspace ' || cast(workspace_id as " ~ dbt.type_string() ~ ") || ' ' || "
            ~ share_text("rate") ~ " || ' ' || kind_of_rate",
            "place", "; "
        ) }} as said
    from judged_rates
),

minimum_rates as (
    select distinct minimum_rate from judged_rates
),

listed_minimums as (
    select {{ listed_text(share_text("minimum_rate"), "minimum_rate", " or ") }} as said
    from minimum_rates
),

lines as (
    select
        'identifier_declared' as line,
        'One shared identifier is declared' as title,
        case when count_rules = 0 then 'none' else said end as measured,
        'one primary identifier per workspace, with owner and date' as threshold,
        'Declare it in seeds/identity_rules.csv: role primary, with owner and decided_on.' as advice,
        cast(null as double) as value,
        cast(null as double) as bound,
        count_rules > 0 and count_rules = count_workspaces and count_rules = count_decided as is_met
    from counted_rules
    union all
    select
        'identifier_unchanged' as line,
        'It does not change under people' as title,
        case
            when count_persons = 0 then 'nobody holds the primary identifier'
            else
                {{ grouped_digits("count_changed") }} || ' of ' || {{ grouped_digits("count_persons") }}
                || ' persons had more of them than profiles'
        end as measured,
        'at most ' || {{ share_text(most_changed) }} || ' of persons had more of them than profiles'
            as threshold,
        'Find what rewrites it (`counterfoil identity sample`), or rehearse a change of '
        || 'identifier (`counterfoil identity migrate`).' as advice,
        cast(count_changed as double) / nullif(count_persons, 0) as value,
        cast({{ most_changed }} as double) as bound,
        cast(count_changed as double) / nullif(count_persons, 0)
        <= cast({{ most_changed }} as double) as is_met
    from counted_changes
    union all
    select
        'match_rate' as line,
        'Enough persons are found in Heap' as title,
        case when counted_rates.count_rates = 0 then 'nobody to match' else counted_rates.said end
            as measured,
        case
            when counted_rates.count_rates = 0 then 'as declared'
            else 'at least ' || listed_minimums.said
        end as threshold,
        'Look at 20 to 50 persons with `counterfoil identity sample` before publishing.' as advice,
        counted_rates.least_rate as value,
        counted_rates.its_minimum as bound,
        case
            when counted_rates.count_rates > 0 then counted_rates.count_rates = counted_rates.count_met
        end as is_met
    from counted_rates
    cross join listed_minimums
)

select * from lines
