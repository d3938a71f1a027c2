-- Each person has the first reason that is true of them.
with

candidates as (
    select * from {{ ref("int_audiences__candidates") }}
),

held_out as (
    select * from {{ ref("int_audiences__held_out") }}
),

held_out_identifiers as (
    select * from {{ ref("int_audiences__held_out_identifiers") }}
),

unsubscribed_spans as (
    select * from {{ ref("int_segments__unsubscribed_spans") }}
),

exposures as (
    select * from {{ ref("fct_message_exposures") }}
),

unsubscribed as (
    select distinct person_id
    from unsubscribed_spans
    where ends_at is null
),

shown as (
    select
        candidates.audience_key,
        candidates.person_id,
        sum(case when candidates.messages_from <= exposures.sent_at then 1 else 0 end) as count_messages,
        sum(case when {{ dbt.dateadd("day", -7, as_of()) }} <= exposures.sent_at then 1 else 0 end)
            as count_week
    from candidates
    left join exposures
        on
            candidates.person_id = exposures.person_id
            and exposures.exposure_kind = 'real'
    where
        candidates.most_messages is not null
        or candidates.tiring_from is not null
    group by candidates.audience_key, candidates.person_id
),

-- Whatever would leave, each under its kind: joined by kind and value, no pair is looked at that differs.
-- Numbers and ids leave in files only
known_by as (
    select
        audience_key,
        person_id,
        workspace_id,
        identifier_type,
        identifier
    from candidates
    union all
    {% for type in ["phone", "customer_id"] -%}
    select
        audience_key,
        person_id,
        workspace_id,
        '{{ type }}' as identifier_type,
        {{ type }} as identifier
    from candidates
    union all
    {% endfor -%}
    select
        audience_key,
        person_id,
        workspace_id,
        'email_root' as identifier_type,
        {{ email_root("identifier") }} as identifier
    from candidates
    where destination = 'ads_file'
),

-- what would leave is also what somebody held out goes by
in_common as (
    select distinct
        known_by.audience_key,
        known_by.person_id
    from known_by
    inner join held_out_identifiers
        on
            known_by.audience_key = held_out_identifiers.audience_key
            and known_by.identifier_type = held_out_identifiers.identifier_type
            and known_by.identifier = held_out_identifiers.identifier
            and (
                held_out_identifiers.workspace_id is null
                or known_by.workspace_id = held_out_identifiers.workspace_id
            )
),

judged as (
    select
        candidates.*,
        case
            when candidates.is_expired then 'expired'
            when held_out.person_id is not null or in_common.person_id is not null then 'held out'
            when unsubscribed.person_id is not null then 'unsubscribed'
            when candidates.match_status = 'suppressed' then 'suppressed'
            when candidates.match_status = 'deleted' then 'deleted'
            when not candidates.has_consent then 'no consent'
            when candidates.is_barred then 'country not allowed'
            when candidates.identifier is null then 'no identifier'
            when shown.count_messages >= candidates.most_messages then 'too many messages'
            -- the next one would be of the dose that tires
            when shown.count_week + 1 >= candidates.tiring_from then 'near a tiring dose'
        end as reason_against
    from candidates
    left join held_out
        on
            candidates.audience_key = held_out.audience_key
            and candidates.person_id = held_out.person_id
    left join in_common
        on
            candidates.audience_key = in_common.audience_key
            and candidates.person_id = in_common.person_id
    left join unsubscribed
        on candidates.person_id = unsubscribed.person_id
    left join shown
        on
            candidates.audience_key = shown.audience_key
            and candidates.person_id = shown.person_id
),

-- Who came first stays: somebody who enters later puts nobody out.
placed as (
    select
        *,
        row_number() over (
            partition by audience_key, reason_against
            order by entered_at, person_id
        ) as place
    from judged
),

capped as (
    select
        *,
        case
            when reason_against is not null then reason_against
            when place > max_members then 'over the cap'
        end as exclusion_reason
    from placed
),

members as (
    select
        -- ids
        audience_key,
        person_id,
        workspace_id,
        cio_id,
        -- attributes
        identifier_type,
        identifier,
        exclusion_reason,
        -- flags
        exclusion_reason is null as is_member,
        -- timestamps
        entered_at
    from capped
)

select * from members
