with leaving as (
    {leaving}
)

select
    workspace_id::bigint as workspace_id,
    output_id,
    subject_name,
    output_type,
    action_id::{number} as action_id,
    if(output_type = 'delay' and again = 1, 'done', explanation) as explanation,
    delivery_id,
    explanation = 'drafted' as draft,
    output_type = 'email' as link_tracked,
    split_test_index::bigint as split_test_index,
    branch_index::bigint as branch_index,
    delay_ends_at::{clock} as delay_ends_at,
    null::bigint as manual_segment_id,
    null::boolean as add_to_manual_segment,
    created_at::{clock} as created_at,
    sequence_number(created_at, again) as seq_num
from leaving
order by seq_num, output_id
