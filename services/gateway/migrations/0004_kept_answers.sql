-- What was answered to a write with an Idempotency-Key. `digest` is of who wrote and the key, `asked` of the request;
-- the answer is encrypted under a key that only who repeats the write can make.
create table kept_answers (
    digest     bytea       primary key,
    asked      bytea       not null,
    claimed_at timestamptz not null,
    answer     bytea
);
create index kept_answers_age on kept_answers (claimed_at);
