-- Lists of people and of contacts are read in the order of a Ukrainian dictionary, a page after another; a contact is
-- also looked for by a part of its number.
create index accounts_by_name on accounts (tenant, folded_name collate "uk-x-icu", id);
create index contacts_by_name on contacts (tenant, folded_name collate "uk-x-icu", id);
create index contacts_number on contacts using gin (lower(number) gin_trgm_ops);
create index api_keys_by_name on api_keys (tenant, name collate "uk-x-icu", id) where revoked_at is null;
