-- Heartbeats get their standard name. Processes of the previous release use the view during a rolling upgrade;
-- a later migration drops it.
alter table owners rename to heartbeats;
alter table heartbeats rename column said_at to sent_at;
create view owners as select owner, sent_at as said_at, outbox_age from heartbeats;
