with

instants as (
    select * from {{ ref("int_exposure__instants") }}
),

memberships as (
    select * from {{ ref("fct_segment_memberships") }}
),

versions as (
    select * from {{ ref("dim_segment_versions") }}
),

intent_tiers as (
    select * from {{ ref("fct_intent_tiers") }}
),

assignments as (
    select * from {{ ref("fct_experiment_assignments") }}
),

exported_memberships as (
    select
        memberships.person_id,
        memberships.segment_key || '_v' || cast(memberships.version as {{ dbt.type_string() }})
            as segment_name,
        memberships.entered_at,
        memberships.exited_at
    from memberships
    inner join versions
        on
            memberships.segment_key = versions.segment_key
            and memberships.version = versions.version
    where versions.is_exported
),

segment_stamps as (
    select
        instants.person_id,
        instants.occurred_at,
        {{ joined_text("exported_memberships.segment_name", "||") }} as segments
    from instants
    inner join exported_memberships
        on
            instants.person_id = exported_memberships.person_id
            and instants.occurred_at >= exported_memberships.entered_at
            and (
                exported_memberships.exited_at is null
                or instants.occurred_at < exported_memberships.exited_at
            )
    group by instants.person_id, instants.occurred_at
),

tier_stamps as (
    select
        instants.person_id,
        instants.occurred_at,
        max(intent_tiers.intent_tier) as intent_tier
    from instants
    inner join intent_tiers
        on
            instants.person_id = intent_tiers.person_id
            and instants.occurred_at >= intent_tiers.entered_at
            and (
                intent_tiers.exited_at is null
                or instants.occurred_at < intent_tiers.exited_at
            )
    group by instants.person_id, instants.occurred_at
),

arm_stamps as (
    select
        instants.person_id,
        instants.occurred_at,
        {{ joined_text("assignments.experiment_key || '=' || assignments.arm", "||") }} as arm
    from instants
    inner join assignments
        on
            instants.person_id = assignments.person_id
            and instants.occurred_at >= assignments.assigned_at
    group by instants.person_id, instants.occurred_at
),

stamped as (
    select
        instants.person_id,
        instants.occurred_at,
        segment_stamps.segments,
        tier_stamps.intent_tier,
        arm_stamps.arm
    from instants
    left join segment_stamps
        on
            instants.person_id = segment_stamps.person_id
            and instants.occurred_at = segment_stamps.occurred_at
    left join tier_stamps
        on
            instants.person_id = tier_stamps.person_id
            and instants.occurred_at = tier_stamps.occurred_at
    left join arm_stamps
        on
            instants.person_id = arm_stamps.person_id
            and instants.occurred_at = arm_stamps.occurred_at
)

select * from stamped
