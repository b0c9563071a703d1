-- Cases: what was reported and what became of it; apart from them, the vault that knows who reported.
-- A case's row says what holds now. Each change of state is a row of case_events, and those are never changed; so is
-- each time that somebody looked up who reported it (`reporter_seen`).

CREATE TABLE case_counters (
    township_id INTEGER NOT NULL,
    year INTEGER NOT NULL,
    last INTEGER NOT NULL,
    PRIMARY KEY (township_id, year)
) STRICT, WITHOUT ROWID;

CREATE TABLE cases (
    township_id INTEGER NOT NULL,
    id INTEGER NOT NULL,
    number TEXT NOT NULL,
    kind TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'registered' CHECK (state IN ('registered', 'verified', 'rejected', 'duplicate',
        'assigned', 'rectifying', 'awaiting_acceptance', 'closed', 'returned', 'extended', 'relapsed')),
    area_id INTEGER NOT NULL,
    place TEXT NOT NULL,
    landmark_id INTEGER,
    lat REAL,
    lng REAL,
    datum TEXT,
    cell INTEGER,
    statement TEXT NOT NULL,
    urgent INTEGER NOT NULL,
    received_ms INTEGER NOT NULL,
    verify_due_ms INTEGER NOT NULL,
    late_ms INTEGER NOT NULL,
    decided_ms INTEGER,
    maybe_duplicate_of INTEGER,
    duplicate_of INTEGER,
    points INTEGER NOT NULL CHECK (points >= 0),
    policy_version INTEGER NOT NULL,
    claim_salt TEXT NOT NULL,
    claim_hash TEXT NOT NULL,
    claim_until_ms INTEGER,
    PRIMARY KEY (township_id, id),
    CHECK (lat IS NULL AND lng IS NULL AND datum IS NULL
        OR lat IS NOT NULL AND lng IS NOT NULL AND datum IS NOT NULL AND datum = 'WGS-84')
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX cases_number ON cases (township_id, number);
CREATE INDEX cases_area ON cases (township_id, area_id, received_ms);
CREATE INDEX cases_cell ON cases (township_id, kind, cell, received_ms);
CREATE INDEX cases_decided ON cases (township_id, decided_ms, late_ms, received_ms, area_id);

CREATE TRIGGER cases_no_delete BEFORE DELETE ON cases
BEGIN SELECT RAISE(ABORT, 'cases are never deleted'); END;

-- `person_id` is who did it (staff), never who reported. `reason` is a policy's id, `note` the person's words.
CREATE TABLE case_events (
    township_id INTEGER NOT NULL,
    id INTEGER NOT NULL,
    case_id INTEGER NOT NULL,
    event TEXT NOT NULL CHECK (event IN ('registered', 'verified', 'rejected', 'duplicate', 'assigned', 'rectifying',
        'awaiting_acceptance', 'closed', 'returned', 'extended', 'relapsed', 'claimed', 'claim_expired',
        'reporter_seen')),
    area_id INTEGER NOT NULL,
    points INTEGER NOT NULL,
    person_id INTEGER,
    reason TEXT NOT NULL,
    note TEXT NOT NULL,
    other_case_id INTEGER,
    policy_version INTEGER NOT NULL,
    at_ms INTEGER NOT NULL,
    PRIMARY KEY (township_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX case_events_case ON case_events (township_id, case_id, id);
CREATE INDEX case_events_time ON case_events (township_id, at_ms, event, area_id, points);

CREATE TRIGGER case_events_no_update BEFORE UPDATE ON case_events
BEGIN SELECT RAISE(ABORT, 'case events are never changed'); END;
CREATE TRIGGER case_events_no_delete BEFORE DELETE ON case_events
BEGIN SELECT RAISE(ABORT, 'case events are never deleted'); END;

-- The vault (D47, PIPL): read only to tell the reporter, to pay them, and by those with the right `see_reporter`.
-- `person_id` is NULL once the identity was erased.
CREATE TABLE case_reporters (
    township_id INTEGER NOT NULL,
    case_id INTEGER NOT NULL,
    person_id INTEGER,
    anonymous INTEGER NOT NULL,
    household_id INTEGER,
    points INTEGER NOT NULL,
    received_ms INTEGER NOT NULL,
    PRIMARY KEY (township_id, case_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX case_reporters_person ON case_reporters (township_id, person_id, case_id);
CREATE INDEX case_reporters_points ON case_reporters (township_id, person_id, received_ms, points) WHERE points > 0;
CREATE INDEX case_reporters_age ON case_reporters (township_id, received_ms) WHERE person_id IS NOT NULL;

CREATE TABLE case_media (
    township_id INTEGER NOT NULL,
    case_id INTEGER NOT NULL,
    position INTEGER NOT NULL,
    media_id TEXT NOT NULL,
    PRIMARY KEY (township_id, case_id, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX case_media_media ON case_media (township_id, media_id);

-- Wrong claim codes, so that nobody can try them all.
CREATE TABLE claim_tries (
    township_id INTEGER NOT NULL,
    id INTEGER NOT NULL,
    person_id INTEGER NOT NULL,
    case_id INTEGER,
    at_ms INTEGER NOT NULL,
    PRIMARY KEY (township_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX claim_tries_person ON claim_tries (township_id, person_id, at_ms);
CREATE INDEX claim_tries_case ON claim_tries (township_id, case_id, at_ms);
