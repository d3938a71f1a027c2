-- The triage as rows of audiences.csv: once `segments new` has made the version of a finding under the same
-- key, its row can be pasted there.
with

triage as (
    select * from {{ ref("fct_reactivation_triage") }}
    where
        experiment_key is not null
        and verdict in ('send', 'test next')
),

spending as (
    select * from {{ ref("int_insight__spending") }}
),

channels as (
    select
        experiment_key,
        arm,
        channel,
        row_number() over (
            partition by experiment_key, arm
            order by count_messages desc, channel asc, message_id asc
        ) as place
    from spending
),

named as (
    select
        -- ids
        'triage_' || cast(triage.workspace_id as {{ dbt.type_string() }}) || '_'
        || cast(triage.triage_rank as {{ dbt.type_string() }})
            as audience_key,
        triage.workspace_id,
        'triage_' || cast(triage.workspace_id as {{ dbt.type_string() }}) || '_'
        || cast(triage.triage_rank as {{ dbt.type_string() }})
            as segment_key,
        triage.experiment_key,
        triage.arm,
        -- attributes
        'customerio_segment' as destination,
        'customer_id' as identifier_type,
        channels.channel,
        triage.verdict,
        triage.lifecycle_stage,
        triage.frequency_band,
        triage.ltv_tier,
        triage.intent_tier,
        -- numbers
        cast(1 as {{ dbt.type_bigint() }}) as version,
        triage.triage_rank,
        triage.count_persons,
        -- Half of those on whom it is to be tested are its control.
        cast(
            case
                when triage.verdict = 'send' then triage.count_persons
                else ceil(triage.count_persons / 2.0)
            end as {{ dbt.type_bigint() }}
        ) as max_members,
        cast({{ var("insight_most_messages_week") }} as {{ dbt.type_bigint() }}) as most_messages,
        cast(7 as {{ dbt.type_bigint() }}) as messages_days,
        triage.cost_per_person,
        triage.net_margin,
        triage.net_margin_low,
        triage.net_margin_high,
        triage.net_margin * triage.count_persons as net_margin_of_all
    from triage
    left join channels
        on
            triage.experiment_key = channels.experiment_key
            and triage.arm = channels.arm
            and channels.place = 1
)

select * from named
