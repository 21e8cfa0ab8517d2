create table tariffs (
    tariff_id    uuid        primary key,
    tenant       text        not null,
    version      integer     not null,
    tariff       json        not null,
    state        text        not null,
    drafted_at   timestamptz not null,
    valid_from   timestamptz,
    activated_at timestamptz
);
create index tariffs_of_tenant on tariffs (tenant, drafted_at, tariff_id);
create index tariffs_active on tariffs (tenant, valid_from, activated_at, tariff_id) where state = 'active';

-- The rates themselves, named by their SHA-256, which the events of tariffs carry. Never changed.
create table rate_slices (
    digest text    not null,
    number integer not null,
    rates  json    not null,
    primary key (digest, number)
);
revoke update, delete, truncate on rate_slices from billing_app;

-- What is on its way in, slice by slice.
create table uploads (
    upload_id uuid        not null,
    number    integer     not null,
    tenant    text        not null,
    content   bytea       not null,
    taken_at  timestamptz not null,
    primary key (upload_id, number)
);
create index uploads_by_age on uploads (taken_at);

-- What companies have set, as the gateway tells of it; a delay of null is the installation's.
create table terms (
    tenant      text    primary key,
    version     integer not null,
    price_delay interval,
    currency    text    not null
);
