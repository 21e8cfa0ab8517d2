-- A key whose request was refused is free for another request: null.
alter table kept_answers alter column asked drop not null;
