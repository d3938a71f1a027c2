with

checklist as (
    select * from {{ ref("fct_checklist") }}
    where line in ('dead_letters', 'read_back', 'told_otherwise', 'landed', 'page')
),

answers as (
    select true as is_met
    union all
    select false as is_met
    union all
    select cast(null as boolean) as is_met
),

judged as (
    select
        checklist.line,
        answers.is_met,
        checklist.title,
        checklist.threshold,
        checklist.advice,
        checklist.waiver_owner,
        checklist.waiver_reason,
        checklist.waiver_expires_on,
        {{ checklist_verdict("answers.is_met", "checklist.waiver_owner") }} as verdict
    from checklist
    cross join answers
),

told as (
    select
        judged.line,
        judged.verdict,
        {{ sentence_start("judged") }} as sentence_start,
        {{ sentence_end("judged") }} as sentence_end,
        judged.is_met
    from judged
)

select * from told
