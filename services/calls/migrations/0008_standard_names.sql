-- When the last report of the call arrived.
alter table calls rename column heard_at to reported_at;
