-- Messages that wait for their moment. `held`: 1 when only so as not to wake their reader, who may come sooner; 0 when
-- for the moment itself; NULL for all others. One that is let go gets a new id: messages stand in the order of their
-- ids, and so in the order in which people get them.
ALTER TABLE outbox ADD COLUMN held INTEGER;
CREATE INDEX outbox_held ON outbox (township_id, due_ms, id) WHERE held IS NOT NULL AND state = 'due';
CREATE INDEX outbox_held_for ON outbox (township_id, person_id) WHERE held IS NOT NULL AND state = 'due';
