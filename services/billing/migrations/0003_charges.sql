-- The ended calls that were heard of, and when the price of each is due.
create table calls (
    call_id        uuid        primary key,
    tenant         text        not null,
    version        integer     not null,
    facts          jsonb       not null,
    placed_at      timestamptz not null,
    ended_at       timestamptz not null,
    received_at    timestamptz not null,
    due_at         timestamptz not null,
    pending        boolean     not null,
    correlation_id text        not null
) with (fillfactor = 70);
create index calls_of_tenant on calls (tenant, placed_at, call_id);
create index calls_due on calls (due_at, call_id) where pending;

create table charges (
    call_id    uuid        primary key,
    tenant     text        not null,
    version    integer     not null,
    state      text        not null,
    charge     json        not null,
    changed_at timestamptz not null
);
create index charges_of_tenant on charges (tenant, call_id);
create index charges_failed on charges (tenant, changed_at, call_id) where state = 'failed';
