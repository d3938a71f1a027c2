-- How often, of one who ordered and one who did not, the first stood higher: ties count half.
with

people as (
    {people}
),

kinds as (
    select
        is_ordered,
        tier,
        sound,
        count(*) as count_persons
    from people
    group by is_ordered, tier, sound
),

pairs as (
    select
        buyers.count_persons * rest.count_persons as count_pairs,
        (sign(buyers.tier - rest.tier) + 1) / 2 as by_tier,
        (sign(buyers.sound - rest.sound) + 1) / 2 as by_silence
    from kinds as buyers
    inner join kinds as rest on buyers.is_ordered and not rest.is_ordered
),

areas as (
    select
        sum(count_pairs * by_tier) / sum(count_pairs) as tier_area,
        sum(count_pairs * by_silence) / sum(count_pairs) as silence_area
    from pairs
)

-- what may not be shown is not counted again either
select
    count(*) as count_rows,
    count(*) as count_persons,
    count(*) filter (people.is_ordered) as count_ordered,
    case
        when $area is not null
            then case $reading
                when 'intent_tier' then any_value(areas.tier_area)
                when 'silence' then any_value(areas.silence_area)
                else any_value(areas.tier_area) - any_value(areas.silence_area)
            end
    end as area
from people
cross join areas
