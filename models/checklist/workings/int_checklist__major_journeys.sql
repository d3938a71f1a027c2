{%- set major_share = var("checklist_major_journey_share") -%}
with

exposures as (
    select * from {{ ref("fct_message_exposures") }}
),

experiments as (
    select * from {{ ref("experiments") }}
),

assignments as (
    select * from {{ ref("fct_experiment_assignments") }}
),

arms as (
    select * from {{ ref("experiment_arms") }}
),

health as (
    select * from {{ ref("fct_experiment_health") }}
),

waivers as (
    select * from {{ ref("waivers") }}
),

counted_messages as (
    select
        workspace_id,
        journey_id,
        max(journey_name) as journey_name,
        count(*) as count_messages
    from exposures
    where
        journey_id is not null
        and message_type not in ('newsletter', 'transactional')
        and exposure_kind in ('real', 'ghost')
    group by workspace_id, journey_id
),

totals as (
    select sum(count_messages) as count_all from counted_messages
),

major_journeys as (
    select
        counted_messages.workspace_id,
        counted_messages.journey_id,
        coalesce(nullif(counted_messages.journey_name, ''), 'journey ' || counted_messages.journey_id)
            as journey_name
    from counted_messages
    cross join totals
    where counted_messages.count_messages >= {{ major_share }} * totals.count_all
),

declared_controls as (
    select distinct
        experiment_key,
        arm
    from arms
    where is_control
),

-- People in both arms, and no sample ratio that says otherwise
counted_arms as (
    select
        assignments.experiment_key,
        count(declared_controls.arm) as count_control,
        count(*) - count(declared_controls.arm) as count_treated
    from assignments
    left join declared_controls
        on
            assignments.experiment_key = declared_controls.experiment_key
            and assignments.arm = declared_controls.arm
    group by assignments.experiment_key
),

broken_ratios as (
    select distinct experiment_key
    from health
    where
        guardrail = 'srm'
        and verdict = 'invalid'
),

sound_experiments as (
    select
        experiments.workspace_id,
        cast(experiments.campaign_id as {{ dbt.type_string() }}) as journey_id
    from experiments
    inner join counted_arms on experiments.experiment_key = counted_arms.experiment_key
    left join broken_ratios on experiments.experiment_key = broken_ratios.experiment_key
    where
        counted_arms.count_control > 0
        and counted_arms.count_treated > 0
        and broken_ratios.experiment_key is null
),

waived_journeys as (
    select distinct subject
    from waivers
    where
        rule in ('major_holdouts', 'holdout')
        and subject is not null
        and cast(expires_on as timestamp) > {{ as_of() }}
),

judged as (
    select
        major_journeys.workspace_id,
        major_journeys.journey_id,
        major_journeys.journey_name,
        count(sound_experiments.journey_id) > 0 as is_sound,
        count(waived_journeys.subject) > 0 as is_waived
    from major_journeys
    left join sound_experiments
        on
            major_journeys.journey_id = sound_experiments.journey_id
            and major_journeys.workspace_id
            = coalesce(sound_experiments.workspace_id, major_journeys.workspace_id)
    left join waived_journeys
        on
            waived_journeys.subject
            = cast(major_journeys.workspace_id as {{ dbt.type_string() }}) || '/' || major_journeys.journey_id
    group by major_journeys.workspace_id, major_journeys.journey_id, major_journeys.journey_name
),

placed as (
    select
        *,
        row_number() over (order by workspace_id, journey_id) as place
    from judged
),

counted as (
    select
        count(*) as count_journeys,
        count(case when is_sound then 1 end) as count_sound,
        count(case when not is_sound and is_waived then 1 end) as count_waived,
        count(case when not is_sound and not is_waived then 1 end) as count_bare,
        {{ listed_text(
            "case when not is_sound and not is_waived then " ~ shown_name("journey_name") ~ " end",
            "place", ", "
        ) }} as bare
    from placed
),

lines as (
    select
        'major_holdouts' as line,
        'Each major journey has a holdout that can be read' as title,
        case
            when count_journeys = 0 then 'no journey has messages'
            else
                cast(count_sound as {{ dbt.type_string() }}) || ' of '
                || cast(count_journeys as {{ dbt.type_string() }}) || ' have one'
                || case
                    when count_waived > 0
                        then ', ' || cast(count_waived as {{ dbt.type_string() }}) || ' waived for a time'
                    else ''
                end
                || case when count_bare > 0 then '; without: ' || bare else '' end
        end as measured,
        'people in both arms and a sound ratio where a journey sends at least '
        || {{ share_text(major_share) }} || ' of all messages, or a waiver with an end' as threshold,
        'Hold people out and register it, or waive `holdout` for that journey in waivers.csv until a day.'
            as advice,
        cast(count_bare as double) as value,
        cast(0 as double) as bound,
        case when count_journeys > 0 then count_bare = 0 end as is_met
    from counted
)

select * from lines
