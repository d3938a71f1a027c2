-- What is stamped on a row is what the person was in at its instant: no stay missing, none too many.
with

rows_told as (
    select
        'entry' as row_kind,
        journey_entry_id as row_id,
        workspace_id,
        person_id,
        entered_at as occurred_at,
        segments,
        intent_tier
    from {{ ref("fct_journey_entries") }}
    union all
    select
        'delivery' as row_kind,
        delivery_id as row_id,
        workspace_id,
        person_id,
        case exposure_kind
            when 'real' then coalesce(sent_at, delivered_at)
            when 'ghost' then coalesce(sent_at, created_at)
            else created_at
        end as occurred_at,
        segments,
        intent_tier
    from {{ ref("fct_message_exposures") }}
    union all
    select
        'conversion' as row_kind,
        conversion_id as row_id,
        workspace_id,
        person_id,
        converted_at as occurred_at,
        segments,
        intent_tier
    from {{ ref("fct_goal_conversions") }}
),

stamped as (
    select * from rows_told
    where person_id is not null
),

stays as (
    select
        memberships.person_id,
        memberships.segment_key || '_v' || cast(memberships.version as {{ dbt.type_string() }})
            as segment_name,
        cast(null as {{ dbt.type_string() }}) as intent_tier,
        memberships.entered_at,
        memberships.exited_at
    from {{ ref("fct_segment_memberships") }} as memberships
    inner join {{ ref("dim_segment_versions") }} as versions
        on
            memberships.segment_key = versions.segment_key
            and memberships.version = versions.version
    where versions.is_exported
    union all
    select
        person_id,
        cast(null as {{ dbt.type_string() }}) as segment_name,
        intent_tier,
        entered_at,
        exited_at
    from {{ ref("fct_intent_tiers") }}
),

counted as (
    select
        stamped.row_kind,
        stamped.row_id,
        stamped.workspace_id,
        stamped.segments,
        stamped.intent_tier,
        count(stays.segment_name) as count_segments,
        sum(
            case
                when
                    stays.segment_name is not null
                    and ('||' || stamped.segments || '||') like ('%||' || stays.segment_name || '||%')
                    then 1
                else 0
            end
        ) as count_stamped,
        max(stays.intent_tier) as intent_tier_then
    from stamped
    left join stays
        on
            stamped.person_id = stays.person_id
            and stamped.occurred_at >= stays.entered_at
            and (stays.exited_at is null or stamped.occurred_at < stays.exited_at)
    group by
        stamped.row_kind,
        stamped.row_id,
        stamped.workspace_id,
        stamped.segments,
        stamped.intent_tier
)

select *
from counted
where
    count_stamped <> count_segments
    or count_segments <> case
        when segments is null then 0
        else 1 + (length(segments) - length(replace(segments, '||', ''))) / 2
    end
    or coalesce(intent_tier, '') <> coalesce(intent_tier_then, '')
