create table comments (
    call_id uuid    primary key,
    tenant  text    not null,
    version integer not null,
    state   jsonb   not null
) with (fillfactor = 80);
create index comments_of_tenant on comments (tenant, call_id);
