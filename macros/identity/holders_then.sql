{% macro holders_then(rows, keys, knows_workspace=false) -%}
    {#-
        CTEs that end in `holders`: who held the customer_id or the email of a row at its occurred_at,
        one person a workspace, by the identifier that the rules prefer. `spelled` has the identifiers
        as the rules compare them.

        Expects the CTEs `identifiers` (map_identifiers) and `rules` (int_identity__rules, the linking
        ones of customer_id and email). `keys` are the columns that tell rows apart; a row that
        `knows_workspace` means nobody in another one.
    -#}
    -- Workspaces may compare one identifier in different ways; usually there is one.
    spellings as (
        select distinct
            identifier_type,
            is_trimmed,
            is_lowered
        from rules
    ),

    spelled as (
        select
            {%- for key in keys %}
            {{ rows }}.{{ key }},
            {%- endfor %}
            {%- if knows_workspace %}
            {{ rows }}.workspace_id,
            {%- endif %}
            {{ rows }}.occurred_at,
            spellings.identifier_type,
            spellings.is_trimmed,
            spellings.is_lowered,
            case spellings.identifier_type
                when 'customer_id' then {{ normalised(rows ~ ".customer_id", "spellings") }}
                else {{ normalised(rows ~ ".email", "spellings") }}
            end as identifier
        from {{ rows }}
        cross join spellings
    ),

    ruled_identifiers as (
        select
            identifiers.workspace_id,
            identifiers.identifier_type,
            identifiers.identifier,
            identifiers.person_id,
            identifiers.valid_from,
            identifiers.valid_to,
            rules.preference,
            rules.is_trimmed,
            rules.is_lowered
        from identifiers
        inner join rules
            on
                identifiers.workspace_id = rules.workspace_id
                and identifiers.identifier_type = rules.identifier_type
    ),

    held as (
        select
            {%- for key in keys %}
            spelled.{{ key }},
            {%- endfor %}
            ruled_identifiers.workspace_id,
            ruled_identifiers.person_id,
            row_number() over (
                partition by
                    {%- for key in keys %}
                    spelled.{{ key }},
                    {%- endfor %}
                    ruled_identifiers.workspace_id
                order by ruled_identifiers.preference, ruled_identifiers.identifier_type
            ) as holder_rank
        from spelled
        inner join ruled_identifiers
            on
                spelled.identifier = ruled_identifiers.identifier
                and spelled.identifier_type = ruled_identifiers.identifier_type
                and spelled.is_trimmed = ruled_identifiers.is_trimmed
                and spelled.is_lowered = ruled_identifiers.is_lowered
                {%- if knows_workspace %}
                and (spelled.workspace_id is null or spelled.workspace_id = ruled_identifiers.workspace_id)
                {%- endif %}
                and spelled.occurred_at >= ruled_identifiers.valid_from
                and (ruled_identifiers.valid_to is null or spelled.occurred_at < ruled_identifiers.valid_to)
    ),

    holders as (
        select
            {%- for key in keys %}
            {{ key }},
            {%- endfor %}
            workspace_id,
            person_id
        from held
        where holder_rank = 1
    )
{%- endmacro %}
