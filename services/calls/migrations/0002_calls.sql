create table calls (
    call_id      uuid        primary key,
    tenant       text        not null,
    version      integer     not null,
    state        jsonb       not null,
    direction    text,
    status       text        not null,
    phase        text        not null,
    caller       text,
    callee       text,
    answered_at  timestamptz,
    ended_at     timestamptz,
    returned_by  uuid,
    heard_at     timestamptz not null
) with (fillfactor = 70);
create index calls_missed_of on calls (tenant, caller, ended_at)
    where status in ('missed', 'missed_offline', 'returned');
create index calls_reached on calls (tenant, callee, answered_at)
    where direction = 'outbound' and answered_at is not null;
create index calls_live on calls (heard_at) where phase <> 'ended';
create index calls_of_tenant on calls (tenant, call_id);

-- Numbers for which missed calls and call-backs must be looked at again; duplicates do no harm.
create table returns_due (
    id         bigint      generated always as identity primary key,
    tenant     text        not null,
    number     text        not null,
    ended_from timestamptz not null,
    ended_to   timestamptz not null
);
