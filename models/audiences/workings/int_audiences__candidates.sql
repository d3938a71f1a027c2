-- Whoever is in the version at as_of, with what could be sent of them.
with

audiences as (
    select * from {{ ref("audiences") }}
),

memberships as (
    select * from {{ ref("fct_segment_memberships") }}
    where exited_at is null
),

persons as (
    select * from {{ ref("dim_persons") }}
),

sendable as (
    select * from {{ ref("int_audiences__sendable") }}
),

attributes as (
    select * from {{ ref("int_audiences__attributes") }}
),

profiles as (
    select * from {{ ref("int_audiences__profiles") }}
),

doses as (
    select * from {{ ref("fct_pressure_by_dose") }}
    where verdict = 'tires people'
),

-- a platform that may not have the people of some countries has nobody of an unknown one
barred as (
    {% for platform, countries in var("audiences_barred_countries").items() %}
    {% for country in (countries or []) | map("lower") | unique -%}
    select
        {{ dbt.string_literal(platform) }} as platform,
        {{ dbt.string_literal(country) }} as country
    union all
    {% endfor %}
    {% endfor -%}
    select
        cast(null as {{ dbt.type_string() }}) as platform,
        cast(null as {{ dbt.type_string() }}) as country
),

barred_platforms as (
    select distinct platform
    from barred
    where platform is not null
),

typed as (
    select
        *,
        case
            when destination = 'ads_file' then 'email'
            else coalesce(identifier_type, 'customer_id')
        end as sent_type
    from audiences
),

workspaces as (
    select distinct workspace_id
    from persons
),

-- The least dose that tires people: of the experiment, or of whatever the workspace sends.
tiring as (
    select
        typed.audience_key,
        workspaces.workspace_id,
        min({{ dose_from("doses.dose_number") }}) as tiring_from
    from typed
    inner join doses
        on
            typed.experiment_key is null
            or typed.experiment_key = doses.experiment_key
    inner join workspaces
        on
            doses.workspace_id is null
            or doses.workspace_id = workspaces.workspace_id
    where typed.leave_out_tired
    group by typed.audience_key, workspaces.workspace_id
),

candidates as (
    select
        typed.audience_key,
        persons.workspace_id,
        memberships.person_id,
        sendable.cio_id,
        typed.sent_type as identifier_type,
        sendable.identifier,
        typed.destination,
        persons.match_status,
        case
            when typed.consent_attribute is not null then coalesce(consents.is_true, false)
            else typed.destination <> 'ads_file'
        end as has_consent,
        case
            when typed.destination = 'ads_file' then {{ phone_digits("phones.attribute_value") }}
        end as phone,
        case when typed.destination = 'ads_file' then profiles.customer_id end as customer_id,
        barred_platforms.platform is not null
        and (
            barred.country is not null
            or length(coalesce({{ trimmed("countries.attribute_value") }}, '')) <> 2
        ) as is_barred,
        typed.max_members,
        typed.most_messages,
        {{ dbt.dateadd("day", "-1 * coalesce(typed.messages_days, 7)", as_of()) }} as messages_from,
        tiring.tiring_from,
        coalesce(typed.expires_on <= cast({{ as_of() }} as date), false) as is_expired,
        memberships.entered_at
    from typed
    inner join memberships
        on
            typed.segment_key = memberships.segment_key
            and typed.version = memberships.version
    inner join persons
        on
            memberships.person_id = persons.person_id
            and (typed.workspace_id is null or typed.workspace_id = persons.workspace_id)
    left join tiring
        on
            typed.audience_key = tiring.audience_key
            and persons.workspace_id = tiring.workspace_id
    left join sendable
        on
            persons.person_id = sendable.person_id
            and typed.sent_type = sendable.identifier_type
    left join profiles
        on
            sendable.workspace_id = profiles.workspace_id
            and sendable.cio_id = profiles.cio_id
    left join attributes as consents
        on
            persons.person_id = consents.person_id
            and typed.consent_attribute = consents.attribute_name
    left join attributes as countries
        on
            persons.person_id = countries.person_id
            and countries.attribute_name = {{ dbt.string_literal(var("audiences_attributes").country) }}
    left join barred_platforms
        on
            typed.destination = 'ads_file'
            and typed.destination_id = barred_platforms.platform
    left join barred
        on
            barred_platforms.platform = barred.platform
            and barred.country = {{ lowered(trimmed("countries.attribute_value")) }}
    left join attributes as phones
        on
            persons.person_id = phones.person_id
            and phones.attribute_name = {{ dbt.string_literal(var("audiences_attributes").phone) }}
)

select * from candidates
