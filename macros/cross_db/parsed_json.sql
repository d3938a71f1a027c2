{% macro parsed_json(column, type) -%}
    {#- On Spark: the object of a JSON text as a type; null where DuckDB says that the text is no JSON. -#}
    {{ json_read_as(readable_json(column), type) }}
{%- endmacro %}

{% macro readable_json(column) -%}
    {#-
        On Spark: a JSON text as `json_read_as` takes it, null where it has half a character. Nothing may stand
        behind it but the `null` that is put there, since Spark reads no further than it has to.
    -#}
    {%- set half -%}(?i)\\ud[89ab]..(?!\\ud[c-f])|(?<!\\ud[89ab]..)\\ud[c-f]{%- endset -%}
    case
        when not regexp_replace({{ column }}, r'\\\\', '') rlike r'{{ half }}'
            then concat('[', {{ mended_json(column) }}, ',null]')
    end
{%- endmacro %}

{% macro json_read_as(readable, type) -%}
    {#- On Spark: what `readable_json` made of a JSON text, as a type; null where it is no JSON. -#}
    get(get(filter(
        array(from_json(
            {{ readable }},
            'array<{{ type }}>',
            map(
                'allowSingleQuotes', 'false', 'maxNestingDepth', '100000000',
                'maxNumLen', '100000000', 'maxStringLen', '100000000'
            )
        )),
        parsed -> size(parsed) = 2 and get(parsed, 1) is null
    ), 0), 0)
{%- endmacro %}

{% macro mended_json(column) -%}
    {#-
        JSON as Spark reads it: without the commas that stand last in an object or a list, and with what is
        no finite number as a text.
    -#}
    {%- set inside -%}[^"\\]*+(?:\\.[^"\\]*+)*+{%- endset -%}
    {%- set infinite -%}[0-9.]*[1-9][0-9.]*e[+]?0*(?:309|3[1-9][0-9]|[4-9][0-9]{2}|[1-9][0-9]{3,}){%- endset -%}
    case
        when {{ column }} rlike r'(?i)nan|inf|,\s*[\]}]|[0-9]e[+]?[0-9]{3}'
            then regexp_replace(
                regexp_replace(
                    {{ column }}, r'("{{ inside }}")|(?<![\[{,:]\s{0,99}),(?=\s*[\]}])', '$1'
                ),
                r'(?s)"({{ inside }})"|(?i:(-?(?:nan|inf(?:inity)?|{{ infinite }})))(?=\s*(?:[,\]}]|\z))',
                '"$1$2"'
            )
        else {{ column }}
    end
{%- endmacro %}

{% macro parsed_json_at(column, key, type) -%}
    {#- On Spark: what stands at a key of a JSON text, which may have dots between keys, as a type. -#}
    {{ json_read_at(readable_json(column), key, type) }}
{%- endmacro %}

{% macro json_read_at(readable, key, type) -%}
    {%- set keys = key.split(".") -%}
    {{ json_read_as(readable, "struct<`" ~ keys | join("`:struct<`") ~ "`:" ~ type ~ ">" * keys | length) }}.`
    {{- keys | join("`.`") }}`
{%- endmacro %}

{% macro parsed_json_text(column, key, is_id=false) -%}
    {#-
        On Spark: what stands at a key of a JSON text as a text, with its numbers as DuckDB writes them, and as
        an id by its digits. Spark itself writes them as Java does, 1.2345678E7, inside of objects too, and
        there a sign beyond U+FFFF as two escapes.
    -#}
    {%- set tokens -%}"[^"\\]*+(?:\\.[^"\\]*+)*+"|-?[0-9]+[.][0-9]+(?:E-?[0-9]+)?|[^"0-9-]++|[0-9-]{%- endset -%}
    {%- set pair -%}\\uD[89AB]..\\uD[C-F]..{%- endset -%}
    {%- set rewritten -%}
        array_join(transform(
            regexp_extract_all(body.as_text, r'{{ tokens }}', 0),
            token -> case
                when token rlike '^-?[0-9]+[.]' then {{ json_number_text("cast(token as double)") }}
                when token rlike r'\\uD'
                    then array_join(transform(
                        regexp_extract_all(token, r'{{ pair }}|\\.|[^\\]++', 0),
                        piece -> case
                            when piece rlike r'^\\uD'
                                then get(from_json(concat('["', piece, '"]'), 'array<string>'), 0)
                            else piece
                        end
                    ), '')
                else token
            end
        ), '')
    {%- endset -%}
    element_at(transform(
        transform(
            array({{ readable_json(column) }}),
            readable -> struct(readable, {{ json_read_at("readable", key, "string") }} as as_text)
        ),
        body -> case
            when
                body.as_text rlike r'(?s)^(-?[0-9]+[.]|[\[{].*([0-9][.][0-9]|\\uD))'
                and (
                    {{ json_read_at("body.readable", key, "double") }} is not null
                    or {{ json_read_at("body.readable", key, "array<string>") }} is not null
                    or {{ json_read_at("body.readable", key, "map<string,string>") }} is not null
                )
                {%- if is_id %}
                then regexp_replace({{ rewritten }}, r'^(-?[0-9]+)[.]0+\z', '$1')
                {%- else %}
                then {{ rewritten }}
                {%- endif %}
            else body.as_text
        end
    ), 1)
{%- endmacro %}

{% macro json_number_text(number) -%}
    {#-
        On Spark: a double as DuckDB writes one into JSON, which is the shortest text that is it, as in
        JavaScript (0.0000001 is 1e-7, and 1e20 has all its digits).
    -#}
    {%- set digits -%}
        coalesce(
            {%- for places in (14, 15) %}
            case
                when cast(format_string('%.{{ places }}e', number) as double) = number
                    then format_string('%.{{ places }}e', number)
            end,
            {%- endfor %}
            format_string('%.16e', number)
        )
    {%- endset -%}
    element_at(transform(
        transform(array({{ number }}), number -> struct(number, {{ digits }} as digits)),
        written -> case
            when written.number = 0 then cast(written.number as string)
            when abs(written.number) >= 1e21 or abs(written.number) < 1e-6
                then regexp_replace(regexp_replace(written.digits, '[.]?0*e', 'e'), 'e[+]?(-?)0*', 'e$1')
            else regexp_replace(
                case
                    when abs(written.number) < 1 then cast(cast(written.digits as decimal(38, 24)) as string)
                    else cast(cast(written.digits as decimal(38, 16)) as string)
                end, '([.][0-9]+?)0+$', '$1'
            )
        end
    ), 1)
{%- endmacro %}
