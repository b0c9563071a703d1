-- Photos that a browser made smaller to send them soon: the original follows on a good network, once, as a row of its own
-- that names the smaller one. It has that one's owner and moment, is seen by whoever sees it, and goes with it.
ALTER TABLE media ADD COLUMN original_of TEXT;
CREATE INDEX media_original ON media (township_id, original_of) WHERE original_of IS NOT NULL;
