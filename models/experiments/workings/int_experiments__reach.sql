with

assignments as (
    select * from {{ ref("int_experiments__assignments") }}
),

deliveries as (
    select * from {{ ref("int_journeys__deliveries") }}
),

-- The experiment's own messages: those of its journey; without a journey, any marketing message.
messages as (
    select
        person_id,
        journey_id,
        delivery_id,
        exposure_kind,
        message_type,
        created_at,
        coalesce(exposed_at, ghost_at) as exposed_at
    from deliveries
    where person_id is not null
),

own_messages as (
    select
        assignments.experiment_key,
        assignments.person_id,
        assignments.started_at,
        assignments.assigned_at,
        assignments.window_ends_at,
        messages.delivery_id,
        messages.exposure_kind,
        messages.created_at,
        messages.exposed_at
    from assignments
    inner join messages
        on
            assignments.person_id = messages.person_id
            and cast(assignments.campaign_id as {{ dbt.type_string() }}) = messages.journey_id
    where assignments.campaign_id is not null
    union all
    select
        assignments.experiment_key,
        assignments.person_id,
        assignments.started_at,
        assignments.assigned_at,
        assignments.window_ends_at,
        messages.delivery_id,
        messages.exposure_kind,
        messages.created_at,
        messages.exposed_at
    from assignments
    inner join messages
        on
            assignments.person_id = messages.person_id
            and messages.message_type <> 'transactional'
    where assignments.campaign_id is null
),

-- Message 1 is the first delivery of the window: a second one may have been made because the
-- first failed, so it defines no comparable group.
ranked as (
    select
        *,
        created_at >= assigned_at and created_at < window_ends_at as is_made_in_window,
        row_number() over (
            partition by
                experiment_key,
                person_id,
                case when created_at >= assigned_at and created_at < window_ends_at then 1 else 0 end
            order by created_at, delivery_id
        ) as message_rank
    from own_messages
),

summed as (
    select
        experiment_key,
        person_id,
        min(
            case
                when
                    exposure_kind = 'real'
                    and exposed_at >= assigned_at
                    and exposed_at < window_ends_at
                    then exposed_at
            end
        ) as exposed_real_at,
        min(
            case
                when
                    exposure_kind = 'ghost'
                    and exposed_at >= assigned_at
                    and exposed_at < window_ends_at
                    then exposed_at
            end
        ) as exposed_ghost_at,
        min(
            case
                when
                    exposure_kind = 'real'
                    and exposed_at >= started_at
                    and exposed_at < assigned_at
                    then exposed_at
            end
        ) as exposed_before_label_at,
        min(
            case
                when is_made_in_window and message_rank = 1 and exposure_kind in ('real', 'ghost')
                    then exposed_at
            end
        ) as reached_first_at
    from ranked
    group by experiment_key, person_id
)

select * from summed
