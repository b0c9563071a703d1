-- Who writes, where they can be reached, and what they may do where.

CREATE TABLE people (
    township_id INTEGER NOT NULL,
    id INTEGER NOT NULL,
    name TEXT NOT NULL DEFAULT '',
    language TEXT NOT NULL,
    consent_version INTEGER,
    consent_ms INTEGER,
    reminders_off INTEGER NOT NULL DEFAULT 0,
    snoozed_until_ms INTEGER NOT NULL DEFAULT 0,
    state TEXT NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'merged', 'erased')),
    merged_into INTEGER,
    created_ms INTEGER NOT NULL,
    PRIMARY KEY (township_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX people_merged ON people (township_id, merged_into) WHERE merged_into IS NOT NULL;
CREATE INDEX people_without_consent ON people (township_id, created_ms)
    WHERE consent_version IS NULL AND state = 'active';

-- Every answer to the consent text: which version, when (PIPL 13, 15, 17).
CREATE TABLE consents (
    township_id INTEGER NOT NULL,
    id INTEGER NOT NULL,
    person_id INTEGER NOT NULL,
    version INTEGER NOT NULL,
    answer TEXT NOT NULL CHECK (answer IN ('agreed', 'refused', 'withdrawn')),
    at_ms INTEGER NOT NULL,
    PRIMARY KEY (township_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX consents_person ON consents (township_id, person_id, id);

-- `address` is what the channel calls the person (`tg:123`); erasure puts a pseudonym in its place.
CREATE TABLE contacts (
    township_id INTEGER NOT NULL,
    channel TEXT NOT NULL,
    address TEXT NOT NULL,
    person_id INTEGER NOT NULL,
    state TEXT NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'unreachable', 'erased')),
    created_ms INTEGER NOT NULL,
    last_in_ms INTEGER NOT NULL,
    PRIMARY KEY (township_id, address)
) STRICT, WITHOUT ROWID;
CREATE INDEX contacts_person ON contacts (township_id, person_id);

CREATE TABLE roles (
    township_id INTEGER NOT NULL,
    id INTEGER NOT NULL,
    person_id INTEGER NOT NULL,
    role TEXT NOT NULL,
    area_id INTEGER NOT NULL,
    from_ms INTEGER NOT NULL,
    until_ms INTEGER,
    granted_by INTEGER,
    PRIMARY KEY (township_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX roles_person ON roles (township_id, person_id) WHERE until_ms IS NULL;
CREATE INDEX roles_role ON roles (township_id, role, area_id) WHERE until_ms IS NULL;

-- What was given out to join with: an invitation to a role, or a code that joins a second contact to a person.
-- Only the SHA-256 of the token or code is kept.
CREATE TABLE invitations (
    township_id INTEGER NOT NULL,
    id INTEGER NOT NULL,
    token_hash TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('role', 'link')),
    role TEXT,
    area_id INTEGER,
    person_id INTEGER,
    created_by INTEGER,
    created_ms INTEGER NOT NULL,
    expires_ms INTEGER NOT NULL,
    used_by INTEGER,
    used_ms INTEGER,
    withdrawn_ms INTEGER,
    PRIMARY KEY (township_id, token_hash)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX invitations_id ON invitations (township_id, id);
CREATE INDEX invitations_person ON invitations (township_id, person_id) WHERE person_id IS NOT NULL;

-- Codes that somebody typed and that were wrong, so that guessing ends soon.
CREATE TABLE wrong_codes (
    township_id INTEGER NOT NULL,
    id INTEGER NOT NULL,
    person_id INTEGER NOT NULL,
    at_ms INTEGER NOT NULL,
    PRIMARY KEY (township_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX wrong_codes_person ON wrong_codes (township_id, person_id, at_ms);

-- Who says to belong to a household (or to act for it), until somebody in charge there has confirmed it.
CREATE TABLE household_claims (
    township_id INTEGER NOT NULL,
    id INTEGER NOT NULL,
    household_id INTEGER NOT NULL,
    person_id INTEGER NOT NULL,
    relation TEXT NOT NULL CHECK (relation IN ('householder', 'member', 'proxy')),
    state TEXT NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'confirmed', 'denied', 'withdrawn')),
    created_ms INTEGER NOT NULL,
    decided_by INTEGER,
    decided_ms INTEGER,
    PRIMARY KEY (township_id, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX household_claims_pending ON household_claims (township_id, person_id, household_id)
    WHERE state = 'pending';
CREATE INDEX household_claims_waiting ON household_claims (township_id, id) WHERE state = 'pending';
