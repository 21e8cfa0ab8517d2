-- The comment on a call, which may be told of before the call is. The row stays when the comment is deleted, without a
-- text: late news of the comment must not bring it back.
create table journal_comments (
    tenant      text        not null,
    call_id     uuid        not null,
    version     integer     not null,
    text        text,
    folded_text text,
    author_id   uuid,
    created_at  timestamptz,
    updated_at  timestamptz,
    primary key (tenant, call_id)
) with (fillfactor = 80);
create index journal_comments_there on journal_comments (tenant, call_id) where text is not null;
create index journal_comments_part on journal_comments using gin (folded_text gin_trgm_ops);
