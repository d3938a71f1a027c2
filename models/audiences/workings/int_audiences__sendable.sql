-- An identifier that living profiles of several persons hold names none of them.
with

profiles as (
    select * from {{ ref("int_audiences__profiles") }}
),

persons as (
    select * from {{ ref("dim_persons") }}
),

held as (
    {% for type in ["customer_id", "email", "cio_id"] -%}
    select
        workspace_id,
        cio_id,
        person_id,
        '{{ type }}' as identifier_type,
        {{ type }} as identifier,
        created_at,
        first_seen_at
    from profiles
    where is_alive and {{ type }} is not null
    {{ "union all" if not loop.last }}
    {% endfor %}
),

holders as (
    select
        workspace_id,
        identifier_type,
        identifier,
        count(distinct person_id) as count_persons
    from held
    group by workspace_id, identifier_type, identifier
),

-- The identifier that speaks for the person everywhere, if a living profile holds it; then the oldest one.
ranked as (
    select
        held.*,
        row_number() over (
            partition by held.person_id, held.identifier_type
            order by
                case
                    when held.identifier_type = 'customer_id' and held.identifier = persons.customer_id then 0
                    when held.identifier_type = 'email' and held.identifier = {{ lowered("persons.email") }}
                        then 0
                    else 1
                end,
                {{ older_first("held") }}
        ) as holder_rank
    from held
    inner join holders
        on
            held.workspace_id = holders.workspace_id
            and held.identifier_type = holders.identifier_type
            and held.identifier = holders.identifier
            and holders.count_persons = 1
    inner join persons
        on held.person_id = persons.person_id
),

chosen as (
    select
        workspace_id,
        person_id,
        cio_id,
        identifier_type,
        identifier
    from ranked
    where holder_rank = 1
)

select * from chosen
