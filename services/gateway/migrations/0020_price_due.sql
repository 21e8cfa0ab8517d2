-- When the price of an ended call is due, as it was foretold when the end was heard: what is set later changes nothing.
alter table journal add column price_due_at timestamptz;
update journal
   set price_due_at = ended_at + make_interval(secs => coalesce(tenants.price_delay_seconds, 300))
  from tenants
 where tenants.key = journal.tenant and journal.phase = 'ended'
   and not exists (select from journal_prices as price
                    where price.tenant = journal.tenant and price.call_id = journal.call_id);
