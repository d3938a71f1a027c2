with

exposures as (
    select * from {{ ref("fct_message_exposures") }}
),

experiments as (
    select * from {{ ref("experiments") }}
),

arms as (
    select * from {{ ref("experiment_arms") }}
),

health as (
    select * from {{ ref("fct_experiment_health") }}
),

message_sent as (
    select * from {{ ref("heap_cio_message_sent") }}
),

-- Journeys have a holdout, or are named as without
held_out_journeys as (
    select distinct
        experiments.workspace_id,
        cast(experiments.campaign_id as {{ dbt.type_string() }}) as journey_id
    from experiments
    inner join arms on experiments.experiment_key = arms.experiment_key
    where arms.is_control
),

journeys_with_messages as (
    select
        exposures.workspace_id,
        exposures.journey_id,
        max(exposures.journey_name) as journey_name,
        count(held_out_journeys.journey_id) as count_holdouts
    from exposures
    left join held_out_journeys
        on
            exposures.journey_id = held_out_journeys.journey_id
            and exposures.workspace_id = coalesce(held_out_journeys.workspace_id, exposures.workspace_id)
    where
        exposures.journey_id is not null
        and exposures.message_type not in ('newsletter', 'transactional')
        and exposures.exposure_kind in ('real', 'ghost')
    group by exposures.workspace_id, exposures.journey_id
),

ranked_journeys as (
    select
        count_holdouts,
        coalesce(nullif(journey_name, ''), 'journey ' || journey_id) as journey_name,
        row_number() over (order by workspace_id, journey_id) as place
    from journeys_with_messages
),

counted_journeys as (
    select
        count(*) as count_journeys,
        count(case when count_holdouts > 0 then 1 end) as count_held_out,
        {{ listed_text(
            "case when count_holdouts = 0 then " ~ shown_name("journey_name") ~ " end", "place", ", "
        ) }} as bare_journeys
    from ranked_journeys
),

-- Arms have the sizes that were declared
ranked_ratios as (
    select
        verdict,
        {{ shown_name("experiment_key") }} || ' (' || population || ') '
        || {{ fixed_decimals("value", 1) }} || ' against ' || {{ fixed_decimals("threshold", 1) }} as said,
        row_number() over (order by experiment_key asc, population desc) as place
    from health
    where guardrail = 'srm'
),

counted_ratios as (
    select
        count(*) as count_ratios,
        count(case when verdict = 'invalid' then 1 end) as count_invalid,
        {{ listed_text("case when verdict = 'invalid' then said end", "place", ", ") }} as invalid_ratios
    from ranked_ratios
),

-- Held-out people are not told as shown
counted_ghosts as (
    select count(*) as count_ghosts
    from exposures
    where exposure_kind = 'ghost'
),

counted_told as (
    select count(*) as count_told
    from message_sent
    inner join exposures
        on
            message_sent.workspace_id = exposures.workspace_id
            and message_sent.delivery_id = exposures.delivery_id
    where exposures.exposure_kind <> 'real'
),

lines as (
    select
        'holdouts' as line,
        'Journeys have a holdout, or are named as without' as title,
        case
            when count_journeys = 0 then 'no journey has messages'
            else
                cast(count_held_out as {{ dbt.type_string() }}) || ' of '
                || cast(count_journeys as {{ dbt.type_string() }}) || ' journeys with messages have a holdout'
                || case
                    when count_held_out < count_journeys then '; without, so without lift: ' || bare_journeys
                    else ''
                end
        end as measured,
        'at least one journey has one; the others are named' as threshold,
        'Hold people out in the journey and register it (seeds/experiments.csv, experiment_arms.csv).'
            as advice,
        cast(count_held_out as double) as value,
        cast(1 as double) as bound,
        case when count_journeys > 0 then count_held_out > 0 end as is_met
    from counted_journeys
    union all
    select
        'sample_ratio' as line,
        'Arms have the sizes that were declared' as title,
        case
            when count_ratios = 0 then 'no experiment has people'
            else
                cast(count_ratios - count_invalid as {{ dbt.type_string() }}) || ' of '
                || cast(count_ratios as {{ dbt.type_string() }}) || ' hold'
                || case when count_invalid > 0 then '; not: ' || invalid_ratios else '' end
        end as measured,
        'chi-square below the {{ var("experiments_chi_square_alpha") }} limit in each experiment'
            as threshold,
        'Look for what drops people from one arm (a filter after the split, a changed weight); '
        || 'do not read the lift until then.' as advice,
        cast(count_invalid as double) as value,
        cast(0 as double) as bound,
        case when count_ratios > 0 then count_invalid = 0 end as is_met
    from counted_ratios
    union all
    select
        'holdouts_apart' as line,
        'Held-out people are not told as shown' as title,
        {{ grouped_digits("counted_ghosts.count_ghosts") }} || ' trapped deliveries, '
        || {{ grouped_digits("counted_told.count_told") }} || ' of them or of the unsent told as sent'
            as measured,
        'no trapped delivery in heap_cio_message_sent' as threshold,
        'Register the trap of the control arm (trap_action_id or trap_recipient) and build again.' as advice,
        cast(counted_told.count_told as double) as value,
        cast(0 as double) as bound,
        counted_told.count_told = 0 as is_met
    from counted_ghosts
    cross join counted_told
)

select * from lines
