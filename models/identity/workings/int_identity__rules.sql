-- depends_on: {{ ref("identity_migrations") }} {{ ref("identity_lock") }}
{{ require_identity_rules() }}

with

identity_rules as (
    select * from {{ ref("identity_rules") }}
),

placeholders as (
    select * from {{ ref("identity_placeholders") }}
),

known_profiles as (
    select * from {{ ref("int_identity__known_profiles") }}
),

workspaces as (
    select distinct workspace_id
    from known_profiles
),

-- Words that mean nobody whatever the identifier and the rule.
words as (
    {{ placeholder_words("placeholders") }}
),

ranked as (
    select
        workspaces.workspace_id,
        identity_rules.identifier_type,
        {{ lowered(trimmed("identity_rules.role")) }} as role,
        '|' || {{ lowered("coalesce(identity_rules.normalisation, '')") }} || '|' as normalisation,
        identity_rules.max_profiles,
        '|' || {{ lowered("coalesce(identity_rules.placeholder_values, '')") }} || words.placeholder_values
            as placeholder_values,
        row_number() over (
            partition by workspaces.workspace_id, identity_rules.identifier_type
            order by identity_rules.workspace_id nulls last
        ) as rule_rank
    from workspaces
    cross join words
    inner join identity_rules
        on
            identity_rules.workspace_id is null
            or workspaces.workspace_id = identity_rules.workspace_id
),

in_force as (
    select
        workspace_id,
        identifier_type,
        role,
        placeholder_values,
        max_profiles,
        case role when 'primary' then 1 when 'fallback' then 2 when 'link' then 3 else 4 end as preference,
        role <> 'ignore' as is_linking,
        role in ('primary', 'fallback') as is_shared_with_heap,
        {{ dbt.position("'|trim|'", "normalisation") }} > 0 as is_trimmed,
        {{ dbt.position("'|lower|'", "normalisation") }} > 0 as is_lowered
    from ranked
    where rule_rank = 1
)

select * from in_force
