create table events (
    id             uuid        primary key,
    tenant         text        not null,
    stream         text        not null,
    version        integer     not null check (version > 0),
    type           text        not null,
    schema_version smallint    not null,
    data           jsonb       not null,
    recorded_at    timestamptz not null,
    correlation_id text        not null,
    unique (stream, version)
);
revoke update, delete, truncate on events from recordings_app;

create table outbox (
    position       bigint      generated always as identity primary key,
    key            text        not null,
    correlation_id text        not null,
    body           text        not null,
    created_at     timestamptz not null default now()
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);

create table commands (
    command_id uuid        primary key,
    result     jsonb,
    taken_at   timestamptz not null default now()
);
