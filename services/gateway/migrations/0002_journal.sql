create table journal (
    tenant         text        not null,
    call_id        uuid        not null,
    version        integer     not null,
    direction      text        not null,
    status         text        not null,
    phase          text        not null,
    rule           text        not null,
    reason         text,
    caller         text        not null,
    caller_name    text,
    callee         text        not null,
    line           text,
    groups         text[]      not null,
    rung           text[]      not null,
    offline        text[]      not null,
    answered_by    text[]      not null,
    forwarded      jsonb       not null,
    ended_by       text,
    cause          smallint,
    sip            smallint,
    placed_at      timestamptz not null,
    ringing_at     timestamptz,
    answered_at    timestamptz,
    ended_at       timestamptz,
    wait_time      interval,
    talk_time      interval,
    recorded       boolean     not null,
    returned_by    uuid,
    correlation_id text        not null,
    primary key (tenant, call_id)
) with (fillfactor = 80);
create index journal_newest on journal (tenant, placed_at desc, call_id desc);
create index journal_of_status on journal (tenant, status, placed_at desc, call_id desc);
create index journal_live on journal (tenant, placed_at desc, call_id desc) where phase <> 'ended';

-- Who took part in a call. `own`: as caller, by answering or by being rung, which puts it in the scope of who holds
-- the line; others, such as the number dialled, are here to be found. The rest repeats the call, so that one index
-- answers what somebody's newest calls are.
create table journal_parties (
    tenant    text        not null,
    call_id   uuid        not null,
    address   text        not null,
    own       boolean     not null,
    placed_at timestamptz not null,
    direction text        not null,
    status    text        not null,
    talk_time interval,
    primary key (tenant, call_id, address)
) with (fillfactor = 80);
create index journal_parties_newest on journal_parties (tenant, address, placed_at desc, call_id desc)
    include (own, direction, talk_time);
create index journal_parties_of_status on journal_parties (tenant, address, status, placed_at desc, call_id desc)
    include (own, direction, talk_time);

-- Every address that ever took part, once, to be searched by a part of it.
create table journal_addresses (
    tenant  text not null,
    address text not null,
    primary key (tenant, address)
);
create index journal_addresses_part on journal_addresses using gin (lower(address) gin_trgm_ops);

-- Where in the tenant's feed a call changed last. Numbers are taken from journal_feeds under its lock, last thing
-- before the commit, so they follow the order of commits.
create table journal_feed (
    tenant  text   not null,
    call_id uuid   not null,
    feed    bigint not null,
    primary key (tenant, call_id)
) with (fillfactor = 80);
create unique index journal_feed_order on journal_feed (tenant, feed);
create table journal_feeds (
    tenant text   primary key,
    last   bigint not null
) with (fillfactor = 50);

-- What was last heard from each owner of facts; `said_at` is by its own clock.
create table owners (
    owner      text             primary key,
    said_at    timestamptz      not null,
    outbox_age double precision not null
) with (fillfactor = 50);
