-- What arrives, what leaves, where each conversation stands, and what is to happen later.

CREATE TABLE inbox (
    township_id INTEGER NOT NULL,
    id INTEGER NOT NULL,
    channel TEXT NOT NULL,
    update_key TEXT NOT NULL,
    address TEXT NOT NULL,
    body BLOB NOT NULL,
    received_ms INTEGER NOT NULL,
    due_ms INTEGER NOT NULL,
    state TEXT NOT NULL DEFAULT 'new' CHECK (state IN ('new', 'done', 'quarantined')),
    error TEXT,
    PRIMARY KEY (township_id, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX inbox_update ON inbox (township_id, channel, update_key);
CREATE INDEX inbox_new ON inbox (township_id, id) WHERE state = 'new';
CREATE INDEX inbox_quarantined ON inbox (township_id, id) WHERE state = 'quarantined';
CREATE INDEX inbox_address ON inbox (township_id, address, id);

CREATE TABLE outbox (
    township_id INTEGER NOT NULL,
    id INTEGER NOT NULL,
    person_id INTEGER NOT NULL,
    channel TEXT NOT NULL,
    address TEXT NOT NULL,
    body TEXT NOT NULL,
    message_key TEXT,
    urgent INTEGER NOT NULL DEFAULT 0,
    created_ms INTEGER NOT NULL,
    due_ms INTEGER NOT NULL,
    expires_ms INTEGER,
    state TEXT NOT NULL DEFAULT 'due' CHECK (state IN ('due', 'waiting', 'sent', 'failed', 'expired')),
    attempts INTEGER NOT NULL DEFAULT 0,
    sent_ms INTEGER,
    error TEXT,
    PRIMARY KEY (township_id, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX outbox_key ON outbox (township_id, message_key, address) WHERE message_key IS NOT NULL;
CREATE INDEX outbox_due ON outbox (township_id, due_ms, id) WHERE state = 'due';
CREATE INDEX outbox_address ON outbox (township_id, address, id);
CREATE INDEX outbox_undelivered ON outbox (township_id, state, created_ms)
    WHERE state IN ('waiting', 'failed', 'expired');

CREATE TABLE sessions (
    township_id INTEGER NOT NULL,
    person_id INTEGER NOT NULL,
    body TEXT NOT NULL,
    updated_ms INTEGER NOT NULL,
    PRIMARY KEY (township_id, person_id)
) STRICT, WITHOUT ROWID;

-- How far the nightly erasure has come in each table whose ids grow with time (PIPL 19).
CREATE TABLE erased_through (
    township_id INTEGER NOT NULL,
    what TEXT NOT NULL,
    through_id INTEGER NOT NULL,
    PRIMARY KEY (township_id, what)
) STRICT, WITHOUT ROWID;

CREATE TABLE timers (
    township_id INTEGER NOT NULL,
    id INTEGER NOT NULL,
    kind TEXT NOT NULL,
    timer_key TEXT NOT NULL,
    fire_ms INTEGER NOT NULL,
    payload TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'due' CHECK (state IN ('due', 'done', 'failed')),
    attempts INTEGER NOT NULL DEFAULT 0,
    done_ms INTEGER,
    error TEXT,
    PRIMARY KEY (township_id, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX timers_key ON timers (township_id, timer_key);
CREATE INDEX timers_due ON timers (township_id, fire_ms, id) WHERE state = 'due';
CREATE INDEX timers_failed ON timers (township_id, id) WHERE state = 'failed';
