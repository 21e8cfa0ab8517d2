-- The recording of a call, which may be told of before the call is. The row stays when the recording is deleted.
create table journal_recordings (
    tenant   text     not null,
    call_id  uuid     not null,
    version  integer  not null,
    status   text     not null,
    format   text     not null,
    duration interval not null,
    size     bigint   not null,
    primary key (tenant, call_id)
) with (fillfactor = 80);
