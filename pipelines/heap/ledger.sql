create table if not exists meta (key varchar primary key, value varchar);
create table if not exists targets (
    target varchar, app varchar, region varchar, is_local boolean, first_seen_at timestamp
);
create table if not exists versions (
    version bigint, plan_id varchar, change varchar, changed_at timestamp
);
create table if not exists plans (
    plan_id varchar, target varchar, as_of timestamp, created_at timestamp, ledger_version bigint,
    file_name varchar, rows_sha256 varchar, count_events bigint, count_users bigint,
    count_calls bigint, status varchar, lines_settled bigint, bytes_settled bigint,
    started_at timestamp, finished_at timestamp
);
alter table plans add column if not exists file_sha256 varchar;
alter table plans add column if not exists file_bytes bigint;
create table if not exists batches (
    batch_id bigint, plan_id varchar, target varchar, kind varchar, count_rows bigint,
    status varchar, http_status integer, intended_at timestamp, finished_at timestamp
);
create table if not exists intents (
    batch_id bigint, target varchar, kind varchar, publish_key varchar, heap_identity varchar,
    property varchar, value_hash varchar, is_true boolean
);
create table if not exists receipts (
    publish_key varchar, heap_identity varchar, kind varchar, plan_id varchar,
    acknowledged_at timestamp, event varchar, target varchar, batch_id bigint
);
alter table receipts add column if not exists told varchar;
create table if not exists heap_told_otherwise (
    publish_key varchar, heap_identity varchar, event varchar, what varchar, told varchar,
    true_now varchar, since timestamp, acknowledged_at timestamp, plan_id varchar, target varchar
);
create table if not exists property_state (
    heap_identity varchar, property varchar, value_hash varchar, acknowledged_at timestamp,
    is_true boolean, plan_id varchar, target varchar
);
create table if not exists property_changes (
    heap_identity varchar, property varchar, value_hash varchar, acknowledged_at timestamp,
    is_true boolean, plan_id varchar, target varchar, batch_id bigint
);
create table if not exists dead_letters (
    publish_key varchar, kind varchar, reason varchar, status varchar, first_seen_at timestamp,
    attempts integer, last_seen_at timestamp, resolved_at timestamp, event varchar,
    identity_hash varchar, row_hash varchar, message varchar, http_status integer,
    plan_id varchar, target varchar
);
create table if not exists names (
    target varchar, kind varchar, event varchar, property varchar, wire_type varchar,
    plan_id varchar, first_seen_at timestamp
);
create table if not exists publications (
    target varchar, model varchar, as_of timestamp, plan_id varchar, finished_at timestamp
);
create table if not exists tombstones (
    identifier_type varchar, salted_hash varchar, erased_at timestamp
);
create table if not exists inherited_tombstones (
    salt varchar, identifier_type varchar, salted_hash varchar, erased_at timestamp
);
create table if not exists audience_state (
    audience_key varchar, identifier varchar, told varchar, acknowledged_at timestamp,
    target varchar, destination_id varchar, workspace_id bigint, cio_id varchar,
    identifier_type varchar, plan_id varchar
);
create table if not exists audience_plans (
    plan_id varchar, target varchar, as_of timestamp, created_at timestamp, ledger_version bigint,
    file_name varchar, file_sha256 varchar, file_bytes bigint, count_adds bigint,
    count_removes bigint, count_calls bigint, status varchar, lines_settled bigint,
    bytes_settled bigint, started_at timestamp, finished_at timestamp
);
create table if not exists audience_batches (
    batch_id bigint, plan_id varchar, target varchar, audience_key varchar, destination_id varchar,
    action varchar, count_rows bigint, status varchar, http_status integer,
    intended_at timestamp, finished_at timestamp
);
create table if not exists audience_intents (
    batch_id bigint, target varchar, audience_key varchar, destination_id varchar, action varchar,
    workspace_id bigint, cio_id varchar, identifier_type varchar, identifier varchar,
    plan_id varchar
);
create table if not exists audience_memberships (
    target varchar, destination_id varchar, cio_id varchar, read_at timestamp
);
create table if not exists audience_landings (
    target varchar, audience_key varchar, destination_id varchar, count_told bigint,
    count_landed bigint, count_missing bigint, count_foreign bigint, read_at timestamp
);
create table if not exists audience_exports (
    export_id varchar, audience_key varchar, platform varchar, version bigint, as_of timestamp,
    count_rows bigint, count_entered bigint, count_left bigint, file_sha256 varchar,
    exported_at timestamp
);
create table if not exists audience_exported (
    audience_key varchar, platform varchar, workspace_id bigint, cio_id varchar, person_id varchar,
    identifier_type varchar, identifier varchar, file_row varchar, export_id varchar
);
