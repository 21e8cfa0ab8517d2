-- What the counters count, in the index that finds the calls of a span: a month is counted without its rows.
create index journal_newest_counted on journal (tenant, placed_at desc, call_id desc)
    include (direction, status, talk_time);
drop index journal_newest;
alter index journal_newest_counted rename to journal_newest;
