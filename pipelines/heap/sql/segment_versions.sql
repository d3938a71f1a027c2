select
    segment_key || '_v' || ltrim(cast(version as varchar), 'v') as suffix,
    coalesce(is_exported, false) as is_exported,
    valid_to is not null and cast(valid_to as timestamp) <= {as_of} as is_retired
from {versions}
order by suffix
