-- What a company has set for itself. Null: as the installation has it; for `retention_days`: for ever.
alter table tenants
    add column price_delay_seconds   integer,
    add column returned_window_hours integer,
    add column retention_days        integer,
    add column currency              text    not null default 'UAH',
    add column settings_version      integer not null default 1;

create table outbox (
    position       bigint      generated always as identity primary key,
    key            text        not null,
    correlation_id text        not null,
    body           text        not null,
    created_at     timestamptz not null default now()
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);
