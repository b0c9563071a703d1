-- Transfers only: an unbalanced entry can't be written, and nothing is changed or deleted.

CREATE TABLE transfers (
    township_id INTEGER NOT NULL,
    id INTEGER NOT NULL,
    source TEXT NOT NULL,
    destination TEXT NOT NULL,
    amount INTEGER NOT NULL CHECK (amount > 0),
    unit TEXT NOT NULL CHECK (unit IN ('fen', 'points')),
    transfer_key TEXT NOT NULL,
    input_hash TEXT NOT NULL,
    reason TEXT NOT NULL,
    ref TEXT NOT NULL,
    note TEXT NOT NULL DEFAULT '',
    policy_version INTEGER NOT NULL,
    created_by INTEGER,
    at_ms INTEGER NOT NULL,
    PRIMARY KEY (township_id, id),
    CHECK (source <> destination)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX transfers_key ON transfers (township_id, transfer_key);
CREATE INDEX transfers_source ON transfers (township_id, source, unit, id);
CREATE INDEX transfers_destination ON transfers (township_id, destination, unit, id);
CREATE INDEX transfers_ref ON transfers (township_id, ref);
CREATE INDEX transfers_time ON transfers (township_id, at_ms, reason, unit, amount);

CREATE TRIGGER transfers_no_update BEFORE UPDATE ON transfers
BEGIN SELECT RAISE(ABORT, 'transfers are never changed'); END;
CREATE TRIGGER transfers_no_delete BEFORE DELETE ON transfers
BEGIN SELECT RAISE(ABORT, 'transfers are never deleted'); END;

CREATE TABLE balances (
    township_id INTEGER NOT NULL,
    account TEXT NOT NULL,
    unit TEXT NOT NULL,
    balance INTEGER NOT NULL,
    may_be_negative INTEGER NOT NULL,
    PRIMARY KEY (township_id, account, unit),
    CHECK (balance >= 0 OR may_be_negative = 1)
) STRICT, WITHOUT ROWID;
