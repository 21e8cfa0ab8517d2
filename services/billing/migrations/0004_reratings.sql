-- A period that is rated again, slice by slice; the row is the work that is left and the report of what is done.
create table reratings (
    rerating_id uuid        primary key,
    tenant      text        not null,
    placed_from timestamptz not null,
    placed_to   timestamptz not null,
    tariff_id   uuid,
    dry_run     boolean     not null,
    by          uuid,
    begun_at    timestamptz not null,
    ended_at    timestamptz,
    total       integer     not null,
    done        integer     not null default 0,
    changed     integer     not null default 0,
    failed      integer     not null default 0,
    after_at    timestamptz,
    after_id    uuid
);
create index reratings_left on reratings (begun_at) where ended_at is null;

create table rerating_sums (
    rerating_id uuid    not null references reratings,
    prefix      text    not null,
    currency    text    not null,
    calls       integer not null,
    before      numeric not null,
    after       numeric not null,
    primary key (rerating_id, prefix, currency)
);
