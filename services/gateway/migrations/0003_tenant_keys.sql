-- A tenant's key stands inside longer keys (call ids, the inbox): it must not hold what separates them.
alter table tenants add constraint tenants_key_is_a_word check (key ~ '^[a-z0-9][a-z0-9_-]{0,63}$');
