with

subjects as (
    select * from {{ ref("int_checklist__subjects") }}
),

experiments as (
    select * from {{ ref("experiments") }}
),

health as (
    select * from {{ ref("fct_experiment_health") }}
),

lift as (
    select * from {{ ref("fct_lift") }}
),

funnel as (
    select * from {{ ref("fct_checkout_funnel") }}
),

guardrail_rules as (
    select * from {{ ref("int_experiments__guardrail_rules") }}
),

-- What a code means: where a rule warns and another stops, as the one that stops says it.
ranked_rules as (
    select
        code,
        sentence,
        case when unit = 'share' then {{ share_text("threshold") }} else {{ spelled_number("threshold") }} end
            as said_threshold,
        row_number() over (
            partition by code order by case when severity = 'invalid' then 0 else 1 end, severity
        ) as rank_of_rule
    from guardrail_rules
),

words as (
    select
        code,
        replace(sentence, '{threshold}', coalesce(said_threshold, '')) as said
    from ranked_rules
    where rank_of_rule = 1
),

journey_experiments as (
    select
        subjects.workspace_id,
        subjects.journey_id,
        experiments.experiment_key,
        experiments.primary_metric
    from subjects
    inner join experiments
        on
            subjects.journey_id = cast(experiments.campaign_id as {{ dbt.type_string() }})
            and subjects.workspace_id = coalesce(experiments.workspace_id, subjects.workspace_id)
),

-- No check makes it invalid
ranked_checks as (
    select
        health.experiment_key,
        health.verdict,
        coalesce(words.said, health.guardrail) as said,
        row_number() over (order by health.experiment_key, health.guardrail, health.population) as place
    from health
    left join words on health.guardrail = words.code
),

counted_checks as (
    select
        experiment_key,
        count(case when verdict = 'ok' then 1 end) as count_ok,
        count(case when verdict = 'warn' then 1 end) as count_warned,
        count(case when verdict = 'invalid' then 1 end) as count_invalid,
        {{ listed_text("case when verdict = 'invalid' then '; ' || said end", "place", "") }}
            as invalid_checks
    from ranked_checks
    group by experiment_key
),

-- The lift can be read
primary_lift as (
    select
        lift.experiment_key,
        lift.arm,
        lift.status,
        lift.reasons,
        lift.count_treatment,
        lift.count_control
    from lift
    inner join experiments
        on
            lift.experiment_key = experiments.experiment_key
            and lift.metric_key = experiments.primary_metric
    where
        lift.population = 'itt'
        and lift.stratum = 'all'
),

ranked_codes as (
    select
        primary_lift.experiment_key,
        primary_lift.arm,
        words.said,
        row_number() over (
            partition by primary_lift.experiment_key, primary_lift.arm order by words.code
        ) as place
    from primary_lift
    inner join words
        on {{ dbt.position("'||' || words.code || '||'", "'||' || primary_lift.reasons || '||'") }} > 0
),

listed_codes as (
    select
        experiment_key,
        arm,
        {{ listed_text("', ' || said", "place", "") }} as said
    from ranked_codes
    group by experiment_key, arm
),

ranked_lift as (
    select
        primary_lift.experiment_key,
        primary_lift.status,
        primary_lift.status || ', ' || {{ grouped_digits("primary_lift.count_treatment") }} || ' against '
        || {{ grouped_digits("primary_lift.count_control") }} || coalesce(listed_codes.said, '') as said,
        row_number() over (order by primary_lift.experiment_key, primary_lift.arm) as place
    from primary_lift
    left join listed_codes
        on
            primary_lift.experiment_key = listed_codes.experiment_key
            and primary_lift.arm = listed_codes.arm
),

counted_lift as (
    select
        experiment_key,
        count(case when status = 'invalid' then 1 end) as count_invalid,
        {{ listed_text("said", "place", "; ") }} as said
    from ranked_lift
    group by experiment_key
),

-- The step where people drop is known
counted_steps as (
    select
        experiment_key,
        count(*) as count_rows
    from funnel
    group by experiment_key
),

counted_funnels as (
    select
        subjects.workspace_id,
        subjects.journey_id,
        count(journey_experiments.experiment_key) as count_experiments,
        cast(coalesce(sum(counted_steps.count_rows), 0) as {{ dbt.type_bigint() }}) as count_rows
    from subjects
    left join journey_experiments
        on
            subjects.workspace_id = journey_experiments.workspace_id
            and subjects.journey_id = journey_experiments.journey_id
    left join counted_steps on journey_experiments.experiment_key = counted_steps.experiment_key
    where subjects.journey_id is not null
    group by subjects.workspace_id, subjects.journey_id
),

lines as (
    select
        journey_experiments.workspace_id,
        journey_experiments.journey_id,
        journey_experiments.experiment_key,
        'health' as line,
        'No check makes ' || {{ shown_name("journey_experiments.experiment_key") }} || ' invalid' as title,
        cast(coalesce(counted_checks.count_ok, 0) as {{ dbt.type_string() }}) || ' ok, '
        || cast(coalesce(counted_checks.count_warned, 0) as {{ dbt.type_string() }}) || ' warn, '
        || cast(coalesce(counted_checks.count_invalid, 0) as {{ dbt.type_string() }}) || ' invalid'
        || coalesce(counted_checks.invalid_checks, '') as measured,
        'none invalid' as threshold,
        'Mend the cause; until then the lift is not shown.' as advice,
        cast(counted_checks.count_invalid as double) as value,
        cast(0 as double) as bound,
        coalesce(counted_checks.count_invalid = 0, false) as is_met
    from journey_experiments
    left join counted_checks on journey_experiments.experiment_key = counted_checks.experiment_key
    union all
    select
        journey_experiments.workspace_id,
        journey_experiments.journey_id,
        journey_experiments.experiment_key,
        'lift' as line,
        'The lift of ' || {{ shown_name("journey_experiments.experiment_key") }} || ' can be read' as title,
        coalesce(counted_lift.said, 'no estimate yet') as measured,
        'not invalid' as threshold,
        'See the reasons; an invalid lift has no headline anywhere.' as advice,
        cast(counted_lift.count_invalid as double) as value,
        cast(0 as double) as bound,
        counted_lift.count_invalid = 0 as is_met
    from journey_experiments
    left join counted_lift on journey_experiments.experiment_key = counted_lift.experiment_key
    union all
    select
        workspace_id,
        journey_id,
        cast(null as {{ dbt.type_string() }}) as experiment_key,
        'funnel' as line,
        'The step where people drop is known' as title,
        case
            when count_experiments = 0 then 'no experiment, so no arms to compare'
            else 'steps and arms counted: ' || {{ grouped_digits("count_rows") }}
        end as measured,
        'rows in fct_checkout_funnel' as threshold,
        {{ literal("Map the brand's checkout events in seeds/behavior_map.csv.") }} as advice,
        cast(count_rows as double) as value,
        cast(1 as double) as bound,
        case when count_experiments > 0 then count_rows > 0 end as is_met
    from counted_funnels
)

select * from lines
