create table recordings (
    call_id   uuid        primary key,
    tenant    text        not null,
    version   integer     not null,
    state     jsonb       not null,
    available boolean     not null,
    object_id uuid        not null,
    peaks     smallint[],
    stored_at timestamptz not null
) with (fillfactor = 80);
create index recordings_of_tenant on recordings (tenant, call_id);
create index recordings_available on recordings (tenant, stored_at) where available;
create unique index recordings_object on recordings (object_id);

-- What companies have set, as the gateway says; null: recordings are kept for ever.
create table settings (
    tenant         text    primary key,
    version        integer not null,
    retention_days integer
);
