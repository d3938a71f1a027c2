select
    numbers.place,
    texts.said,
    written.said as written,
    numbers.number,
    numbers.counted
from {{ source("nasty", "numbers") }} as numbers
left join {{ source("nasty", "texts") }} as texts on numbers.place = texts.place
left join {{ source("nasty", "written") }} as written on numbers.place = written.place
