-- What could not be decided waits here with its error, for a person; `set error = null` has it tried again.
alter table returns_due add column error text;
