-- What the yml of each version says, the fingerprint of its logic, and how many are in it.
with

memberships as (
    select * from {{ ref("fct_segment_memberships") }}
),

versions as (
    {%- for segment in segment_versions() %}
    select
        {{ dbt.string_literal(segment.segment_key) }} as segment_key,
        cast({{ segment.version }} as bigint) as version,
        cast('{{ segment.valid_from }}' as timestamp) as valid_from,
        cast({{ "'" ~ segment.valid_to ~ "'" if segment.valid_to else "null" }} as timestamp) as valid_to,
        {{ segment_text(segment.motion) }} as motion,
        {{ segment_text(segment.owner) }} as owner,
        {{ segment_text(segment.fingerprint) }} as fingerprint,
        {{ segment_text(segment.description) }} as description,
        {{ segment_text(segment.property_name) }} as property_name,
        {{ segment_text(segment.cadence) }} as cadence,
        {{ segment_text(segment.reason) }} as cadence_reason,
        {{ segment_text(segment.service_level) }} as service_level,
        {{ "true" if segment.is_exported else "false" }} as is_exported,
        cast({{ "'" ~ segment.deprecated_on ~ "'" if segment.deprecated_on else "null" }} as date)
            as deprecated_on
    {% if not loop.last %}union all{% endif %}
    {%- endfor %}
),

current_members as (
    select
        segment_key,
        version,
        count(*) as count_members
    from memberships
    where exited_at is null
    group by segment_key, version
),

described as (
    select
        versions.segment_key,
        versions.version,
        versions.valid_from,
        versions.valid_to,
        versions.motion,
        versions.owner,
        versions.is_exported,
        versions.fingerprint,
        versions.description,
        versions.property_name,
        versions.cadence,
        versions.cadence_reason,
        versions.service_level,
        versions.deprecated_on,
        coalesce(current_members.count_members, 0) as count_members,
        {{ as_of() }} as as_of
    from versions
    left join current_members
        on
            versions.segment_key = current_members.segment_key
            and versions.version = current_members.version
)

select * from described
