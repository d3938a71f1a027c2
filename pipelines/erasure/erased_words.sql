with texts as (
    select distinct {text} as held
    from {table}
    where {is_new} and length({text}) >= {shortest}
),

runs as (
    select distinct unnest(regexp_extract_all(held, {pattern})) as run
    from texts
),

-- a run of signs, and the parts of one that is an address on the web
words as (
    select distinct rtrim(run, '.:!') as word
    from runs
    union
    select distinct rtrim(unnest(regexp_split_to_array(run, '[?&=/#;]')), '.:!')
    from runs
    where contains(run, '://')
)

select word from words
where length(word) >= {shortest} and ({erased})
order by word
