-- Who brought the code of an anonymous report: `claimed_key` stands for the person where their rewards are looked up,
-- `claimed` is sealed with the case's reporter and goes with them. `granted`: the reward is not added up yet.
ALTER TABLE case_reporters ADD COLUMN claimed_key INTEGER;
ALTER TABLE case_reporters ADD COLUMN claimed BLOB;
ALTER TABLE case_reporters ADD COLUMN granted INTEGER NOT NULL DEFAULT 0;
CREATE INDEX case_reporters_claimed ON case_reporters (township_id, claimed_key, case_id) WHERE claimed_key IS NOT NULL;
CREATE INDEX case_reporters_claimed_age ON case_reporters (township_id, received_ms) WHERE claimed_key IS NOT NULL;
CREATE INDEX case_reporters_granted ON case_reporters (township_id, case_id) WHERE granted = 1;
