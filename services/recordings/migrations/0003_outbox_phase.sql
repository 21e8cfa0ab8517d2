-- The phase that a message's state is in: it is published under it too.
alter table outbox add column phase text;
