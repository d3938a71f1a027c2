{% macro parsed_json(column, type) -%}
    {#-
        On Spark: the object of a JSON text as a type; null where DuckDB says that the text is no JSON. Nothing
        may stand behind it but the `null` that is put there, since Spark reads no further than it has to.
    -#}
    {%- set half -%}(?i)\\ud[89ab]..(?!\\ud[c-f])|(?<!\\ud[89ab]..)\\ud[c-f]{%- endset -%}
    element_at(transform(
        array(from_json(
            concat('[', {{ mended_json(column) }}, ',null]'),
            'array<{{ type }}>',
            map(
                'allowSingleQuotes', 'false', 'maxNestingDepth', '100000000',
                'maxNumLen', '100000000', 'maxStringLen', '100000000'
            )
        )),
        parsed -> case
            when
                size(parsed) = 2 and get(parsed, 1) is null
                and not regexp_replace({{ column }}, r'\\\\', '') rlike r'{{ half }}'
                then get(parsed, 0)
        end
    ), 1)
{%- endmacro %}

{% macro mended_json(column) -%}
    {#-
        JSON as Spark reads it: without the commas that stand last in an object or a list, and with what is
        no finite number as a text.
    -#}
    {%- set inside -%}[^"\\]*+(?:\\.[^"\\]*+)*+{%- endset -%}
    {%- set infinite -%}[0-9.]+e[+]?0*(?:309|3[1-9][0-9]|[4-9][0-9]{2}|[1-9][0-9]{3,}){%- endset -%}
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
    {%- set keys = key.split(".") -%}
    {{ parsed_json(column, "struct<`" ~ keys | join("`:struct<`") ~ "`:" ~ type ~ ">" * keys | length) }}.`
    {{- keys | join("`.`") }}`
{%- endmacro %}

{% macro parsed_json_text(column, key, of_number) -%}
    {#-
        On Spark: what stands at a key of a JSON text as a text, a number with a point as `of_number` makes it
        of a double. Spark itself writes numbers as Java does, 1.2345678E7, inside of objects too.
    -#}
    {%- set tokens -%}"[^"\\]*+(?:\\.[^"\\]*+)*+"|-?[0-9]+[.][0-9]+(?:E-?[0-9]+)?|[^"0-9-]++|[0-9-]{%- endset -%}
    {%- set number = parsed_json_at(column, key, "double") -%}
    element_at(transform(
        array({{ parsed_json_at(column, key, "string") }}),
        as_text -> case
            when {{ is_json_float("as_text", number) }} then {{ of_number(number) }}
            when
                as_text rlike r'^[\[{].*[0-9][.][0-9]'
                and (
                    {{ parsed_json_at(column, key, "array<string>") }} is not null
                    or {{ parsed_json_at(column, key, "map<string,string>") }} is not null
                )
                then array_join(transform(
                    regexp_extract_all(as_text, r'{{ tokens }}', 0),
                    token -> case
                        when token rlike '^-?[0-9]+[.]' then {{ json_number_text("cast(token as double)") }}
                        else token
                    end
                ), '')
            else as_text
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

{% macro json_number_id(number) -%}
    {#- On Spark: a double as an id, by its digits. -#}
    regexp_replace({{ json_number_text(number) }}, '[.]0+$', '')
{%- endmacro %}

{% macro is_json_float(text, number) -%}
    {#- On Spark: whether a value of JSON is a number with a point, by its text and as a double. -#}
    ({{ text }} rlike '^-?[0-9]+[.]' and {{ number }} is not null)
{%- endmacro %}
