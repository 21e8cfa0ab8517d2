-- kept_answers becomes idempotency_keys; the rows stay.
alter table kept_answers rename to idempotency_keys;
alter table idempotency_keys rename column asked to request_digest;
alter table idempotency_keys rename column answer to response;
alter index kept_answers_pkey rename to idempotency_keys_pkey;
alter index kept_answers_age rename to idempotency_keys_claimed_at;

-- Gateways of the release before still write under the old names while the new ones start. A later release drops the view.
create view kept_answers as
    select digest, request_digest as asked, claimed_at, response as answer from idempotency_keys;
