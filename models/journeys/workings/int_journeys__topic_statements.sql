-- What somebody says of a topic: to a webhook, or in the profile's own attribute. What is not named
-- stays as it was; the metric topic_unsubscribed does not say which topic.
with

called_persons as (
    select * from {{ ref("int_journeys__called_persons") }}
    where metric = 'cio_subscription_preferences_changed'
),

attributes as (
    select * from {{ ref("stg_customerio__attributes") }}
    where attribute_name = 'cio_subscription_preferences'
),

profiles as (
    select * from {{ ref("int_identity__profiles") }}
),

told as (
    select
        workspace_id,
        person_id,
        body_content,
        stated_at
    from called_persons
    where person_id is not null
    union all
    select
        profiles.workspace_id,
        profiles.person_id,
        attributes.attribute_value as body_content,
        attributes.changed_at as stated_at
    from attributes
    inner join profiles
        on
            attributes.workspace_id = profiles.workspace_id
            and attributes.cio_id = profiles.cio_id
),

entries as (
    select
        workspace_id,
        person_id,
        {{ json_entries("body_content", "topics") }} as entry,
        stated_at
    from told
),

flagged as (
    select
        entries.workspace_id,
        entries.person_id,
        entries.entry.key as topic,
        {{ flag("entries.entry.value") }} as is_subscribed,
        entries.stated_at
    from entries
),

-- of two statements of one instant, the one that forbids counts
instants as (
    select
        workspace_id,
        person_id,
        topic,
        min(case when is_subscribed then 1 else 0 end) = 1 as is_subscribed,
        stated_at
    from flagged
    where is_subscribed is not null
    group by workspace_id, person_id, topic, stated_at
)

select * from instants
