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
    created_ms INTEGER NOT NULL,
    PRIMARY KEY (township_id, id)
) STRICT, WITHOUT ROWID;

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

CREATE TABLE invitations (
    township_id INTEGER NOT NULL,
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
    PRIMARY KEY (township_id, token_hash)
) STRICT, WITHOUT ROWID;
