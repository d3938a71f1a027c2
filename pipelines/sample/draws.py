"""Chance without a state: every draw is a function of the seed, a key and what is drawn.

md5 rather than an engine's own hash or generator, so that the sample stays the same under any
engine version, thread count and size.
"""

from __future__ import annotations

import duckdb

from pipelines.sample.brand import EXPORT_DAYS, HISTORY_DAYS, SAMPLE_START


def define_draws(work: duckdb.DuckDBPyConnection, seed: int) -> None:
    """Create the macros that the other modules' SQL is written in."""
    work.execute(
        f"""
        -- uniform in [0, 1)
        create macro draw(key, what) as
            cast(concat('0x', substr(md5(concat('{int(seed)}:', what, ':', key)), 1, 8)) as bigint)
            / 4294967296.0::double;

        -- the instant of a day of the history, whole seconds
        create macro at_day(day) as
            timestamp '{SAMPLE_START:%Y-%m-%d}' + to_seconds(cast(floor(day * 86400) as bigint));
        create macro day_of(instant) as
            epoch(instant - timestamp '{SAMPLE_START:%Y-%m-%d}') / 86400.0;

        -- the batch of files in which a row of that instant leaves Customer.io
        create macro batch_of(instant) as cast(greatest(1, least(
            {HISTORY_DAYS // EXPORT_DAYS}, ceil(day_of(instant) / {EXPORT_DAYS})
        )) as integer);

        -- shapes of ids: a 26-character ULID, a 32-character delivery token, a 12-digit cio_id
        create macro ulid(key) as
            concat('01', upper(substr(md5(concat('{int(seed)}:ulid:', key)), 1, 24)));
        create macro delivery_token(key) as
            substr(to_base64(encode(md5(concat('{int(seed)}:delivery:', key)))), 1, 32);
        -- not of the seed: curated merges name these, and registries do not change with the seed
        create macro cio_id(workspace_id, i, slot) as
            substr(md5(concat('cio:', workspace_id, ':', i, ':', slot)), 1, 12);

        -- rises with time, needs 64 bits
        create macro sequence_number(instant, id) as
            epoch_ms(instant) * 1000 + cast(concat('0x', substr(md5(id), 1, 4)) as bigint) % 1000;

        -- what became of a message: only `sent` reaches anybody
        create macro email_fate(key, has_email) as case
            when not has_email then 'undeliverable'
            when draw(key, 'fate') < 0.012 then 'bounced'
            when draw(key, 'fate') < 0.020 then 'dropped'
            when draw(key, 'fate') < 0.024 then 'failed'
            when draw(key, 'fate') < 0.027 then 'undeliverable'
            else 'sent' end;
        create macro sms_fate(key) as case
            when draw(key, 'fate') < 0.012 then 'bounced'
            when draw(key, 'fate') < 0.024 then 'failed'
            else 'sent' end;
        create macro in_app_fate(key) as case
            when draw(key, 'fate') < 0.010 then 'failed' else 'sent' end;
        """
    )
