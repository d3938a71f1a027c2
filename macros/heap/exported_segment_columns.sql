{% macro exported_segment_columns() -%}
    {#-
        The segment versions that go out as current state. A version past its `valid_to` keeps its
        column and is false for everybody, so that its last members are told so; take it out of the
        export, and out of the contract, once that has been sent.
    -#}
    {%- set exported = [] -%}
    {%- for segment in segment_versions() if segment.is_exported -%}
        {%- set retired = segment.valid_to and (segment.valid_to | string) <= as_of_text() -%}
        {%- do exported.append(dict(segment, is_retired=retired)) -%}
    {%- endfor -%}
    {{ return(exported) }}
{%- endmacro %}
