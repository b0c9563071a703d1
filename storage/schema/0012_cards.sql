-- Messages that change in place. `card`: what a message shows (a case, a roll-call), if that may change; `ref`: what the
-- platform calls it once it is there; `changes`: the earlier message whose place this one takes.
ALTER TABLE outbox ADD COLUMN card TEXT;
ALTER TABLE outbox ADD COLUMN ref TEXT;
ALTER TABLE outbox ADD COLUMN changes INTEGER;
CREATE INDEX outbox_card ON outbox (township_id, card, address) WHERE card IS NOT NULL;
