-- The data keys, each sealed to the vault's public key (`lock`: which one). Deleting a row erases what it sealed.
CREATE TABLE vault_keys (
    township_id INTEGER NOT NULL,
    purpose INTEGER NOT NULL,
    day INTEGER NOT NULL,
    wrapped BLOB NOT NULL,
    lock TEXT NOT NULL,
    PRIMARY KEY (township_id, purpose, day)
) STRICT, WITHOUT ROWID;

-- Who reported: `reporter_key` is what stands for the person where reports are looked up, `sealed` the person and the
-- household that was acted for. `person_id` and `household_id` are of before there was a vault, and empty since.
ALTER TABLE case_reporters ADD COLUMN reporter_key INTEGER;
ALTER TABLE case_reporters ADD COLUMN sealed BLOB;
CREATE INDEX case_reporters_key ON case_reporters (township_id, reporter_key, case_id) WHERE reporter_key IS NOT NULL;
CREATE INDEX case_reporters_key_points ON case_reporters (township_id, reporter_key, received_ms, points)
    WHERE points > 0 AND reporter_key IS NOT NULL;
CREATE INDEX case_reporters_key_age ON case_reporters (township_id, received_ms) WHERE reporter_key IS NOT NULL;
