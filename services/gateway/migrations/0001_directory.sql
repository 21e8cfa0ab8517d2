create extension if not exists btree_gist;
create extension if not exists pg_trgm;

create table tenants (
    key        text        primary key,
    name       text        not null,
    time_zone  text        not null default 'Europe/Kyiv',
    region     text        not null default 'UA',
    created_at timestamptz not null default now()
);

create table accounts (
    id              uuid        primary key default gen_random_uuid(),
    tenant          text        not null references tenants (key),
    login           text        not null,
    password_hash   text        not null,
    name            text        not null,
    folded_name     text        not null,
    role            text        not null check (role in ('administrator', 'supervisor', 'operator', 'accountant')),
    session_version integer     not null default 1,
    created_at      timestamptz not null default now(),
    disabled_at     timestamptz,
    unique (tenant, login),
    unique (tenant, id)
);
create index accounts_login on accounts (login);

-- An address is held by one account of a tenant at any instant.
create table lines (
    id         uuid        primary key default gen_random_uuid(),
    tenant     text        not null,
    account_id uuid        not null,
    address    text        not null,
    held_from  timestamptz,
    held_until timestamptz,
    check (held_from < held_until),
    foreign key (tenant, account_id) references accounts (tenant, id),
    constraint lines_held_by_one exclude using gist
        (tenant with =, address with =, tstzrange(held_from, held_until) with &&)
);
create index lines_account on lines (account_id);

create table contacts (
    id          uuid        primary key default gen_random_uuid(),
    tenant      text        not null references tenants (key),
    number      text        not null,
    name        text        not null,
    folded_name text        not null,
    note        text,
    created_at  timestamptz not null default now(),
    updated_at  timestamptz not null default now(),
    unique (tenant, number)
);
create index contacts_folded_name on contacts using gin (folded_name gin_trgm_ops);

create table api_keys (
    id           uuid        primary key default gen_random_uuid(),
    tenant       text        not null references tenants (key),
    kind         text        not null check (kind in ('ingest', 'export')),
    name         text        not null,
    digest       bytea       not null unique,
    created_at   timestamptz not null default now(),
    last_used_at timestamptz,
    revoked_at   timestamptz
);

-- A session counts while its version is its account's: raising the account's ends all that were begun before.
create table sessions (
    id              uuid        primary key,
    account_id      uuid        not null references accounts (id),
    session_version integer     not null,
    began_at        timestamptz not null,
    expires_at      timestamptz not null,
    ended_at        timestamptz
);
create index sessions_account on sessions (account_id);
