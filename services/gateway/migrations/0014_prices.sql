-- The price of a call as billing tells of it, which may come before the call itself does.
create table journal_prices (
    tenant   text        not null,
    call_id  uuid        not null,
    version  integer     not null,
    state    text        not null,
    amount   numeric,
    currency text,
    due_at   timestamptz not null,
    reason   text,
    primary key (tenant, call_id)
) with (fillfactor = 80);
