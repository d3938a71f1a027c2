{% macro share_text(share, decimals=1) -%}
    {#- A share as a percentage: 0.64 is `64.0%`. -#}
    {{ fixed_decimals("100 * cast(" ~ share ~ " as double)", decimals) }} || '%'
{%- endmacro %}

{% macro as_of_words() -%}
    {#- The instant of the build as people write it: `1 Jun 2026, 00:00`. -#}
    {%- set instant = modules.datetime.datetime.strptime(iso_seconds(as_of_text()), "%Y-%m-%d %H:%M:%S") -%}
    {{- instant.day ~ instant.strftime(" %b %Y, %H:%M") -}}
{%- endmacro %}

{% macro literal(text) -%}
    {#- A text with an apostrophe as one SQL literal, on every engine. -#}
    {{- dbt.string_literal(dbt.escape_single_quotes(text)) -}}
{%- endmacro %}

{% macro checklist_verdict(is_met, waiver_owner) -%}
    {#- What a line's answer means: one that nothing can measure is not applicable, waived or not. -#}
    case
        when {{ is_met }} is null then 'not applicable'
        when {{ is_met }} then 'ok'
        when {{ waiver_owner }} is not null then 'waived'
        else 'fail'
    end
{%- endmacro %}

{% macro sentence_start(judged) -%}
    {#- A line's sentence up to what was measured; `judged` is a CTE of lines with their verdict. -#}
    {{ judged }}.title || ': '
{%- endmacro %}

{% macro sentence_end(judged) -%}
    {#- The same from there on: the threshold, and what to do or who waives it, until when and why. -#}
    ' (' || {{ judged }}.threshold || ').' || case {{ judged }}.verdict
        when 'fail' then ' ' || {{ judged }}.advice
        when 'waived'
            then ' Waived by ' || {{ judged }}.waiver_owner || ' until '
                || cast({{ judged }}.waiver_expires_on as {{ dbt.type_string() }}) || ': '
                || {{ judged }}.waiver_reason
        else ''
    end
{%- endmacro %}

{% macro spelled_number(number) -%}
    {#- A number inside a sentence: a small or a round one as a word. -#}
    {%- set words = {
        1: "one", 2: "two", 3: "three", 4: "four", 5: "five", 6: "six", 7: "seven", 8: "eight",
        9: "nine", 10: "ten", 11: "eleven", 12: "twelve", 15: "fifteen", 20: "twenty",
        30: "thirty", 40: "forty", 50: "fifty", 100: "a hundred",
    } -%}
    case {{ number }}
        {%- for value, word in words.items() %}
        when {{ value }} then '{{ word }}'
        {%- endfor %}
        else {{ grouped_digits(number) }}
    end
{%- endmacro %}
