with

people_versions as (
    select * from {{ ref("stg_customerio__people_versions") }}
),

attributes as (
    select * from {{ ref("stg_customerio__attributes") }}
),

rules as (
    select * from {{ ref("int_identity__rules") }}
),

followed_people as (
    select
        *,
        is_deleted or is_suppressed as is_gone,
        lead(updated_at) over (
            partition by workspace_id, cio_id
            order by updated_at
        ) as next_at,
        row_number() over (
            partition by workspace_id, cio_id
            order by updated_at
        ) as version_number
    from people_versions
),

-- A deleted profile holds nothing any more. One that is seen for the first time when it is already deleted
-- held what it shows until that instant: the second before stands for it.
states as (
    select
        workspace_id,
        cio_id,
        customer_id,
        email,
        case
            when is_gone then {{ dbt.dateadd("second", -1, "updated_at") }}
            else updated_at
        end as held_from,
        case when is_gone then updated_at else next_at end as held_to,
        learned_at
    from followed_people
    where
        not is_gone
        or version_number = 1
),

anonymous_ids as (
    select
        workspace_id,
        cio_id,
        attribute_value as anonymous_id,
        changed_at as held_from,
        lead(changed_at) over (
            partition by workspace_id, cio_id
            order by changed_at
        ) as held_to,
        learned_at
    from attributes
    where attribute_name = 'anonymous_id'
),

held as (
    select
        workspace_id,
        cio_id,
        'customer_id' as identifier_type,
        customer_id as identifier,
        'people' as evidence,
        held_from,
        held_to,
        learned_at
    from states
    where customer_id is not null
    union all
    select
        workspace_id,
        cio_id,
        'email' as identifier_type,
        email as identifier,
        'people' as evidence,
        held_from,
        held_to,
        learned_at
    from states
    where email is not null
    union all
    select
        workspace_id,
        cio_id,
        'anonymous_id' as identifier_type,
        anonymous_id as identifier,
        'attributes' as evidence,
        held_from,
        held_to,
        learned_at
    from anonymous_ids
    where anonymous_id is not null
),

ruled as (
    select
        held.workspace_id,
        held.cio_id,
        held.identifier_type,
        case
            when rules.workspace_id is null then {{ not_blank("held.identifier") }}
            else {{ normalised("held.identifier") }}
        end as identifier,
        held.evidence,
        coalesce(rules.is_linking, false) as is_linking,
        coalesce({{ is_placeholder("held.identifier") }}, false) as is_placeholder,
        rules.max_profiles,
        held.held_from,
        held.held_to,
        held.learned_at
    from held
    left join rules
        on
            held.workspace_id = rules.workspace_id
            and held.identifier_type = rules.identifier_type
)

select * from ruled
where identifier is not null
