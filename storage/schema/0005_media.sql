-- Photos and videos: whose they are, what they show of place and time, and who else may look at them.
-- The bytes lie in files named by their SHA-256; only small pictures made by the program (QR) are kept in the row.

CREATE TABLE media (
    township_id INTEGER NOT NULL,
    id TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('image', 'video')),
    channel TEXT NOT NULL,
    ref TEXT NOT NULL DEFAULT '',
    owner_address TEXT,
    person_id INTEGER,
    state TEXT NOT NULL CHECK (state IN ('fetching', 'ready', 'refused', 'erased')),
    error TEXT,
    sha256 TEXT,
    mime TEXT,
    size_bytes INTEGER,
    width_px INTEGER,
    height_px INTEGER,
    lat REAL,
    lng REAL,
    datum TEXT,
    taken_ms INTEGER,
    content BLOB,
    created_ms INTEGER NOT NULL,
    PRIMARY KEY (township_id, id),
    CHECK ((lat IS NULL) = (datum IS NULL) AND (lat IS NULL) = (lng IS NULL))
) STRICT;
CREATE UNIQUE INDEX media_ref ON media (township_id, channel, ref, person_id) WHERE ref <> '';
CREATE INDEX media_owner ON media (township_id, owner_address, sha256) WHERE owner_address IS NOT NULL;
CREATE INDEX media_person ON media (township_id, person_id) WHERE person_id IS NOT NULL;
CREATE INDEX media_kept ON media (township_id, created_ms) WHERE state <> 'erased';
CREATE INDEX media_unready ON media (township_id, state) WHERE state IN ('fetching', 'refused');
CREATE INDEX media_placed ON media (township_id, created_ms) WHERE lat IS NOT NULL;
CREATE INDEX media_sha256 ON media (township_id, sha256) WHERE sha256 IS NOT NULL;

CREATE TABLE media_grants (
    township_id INTEGER NOT NULL,
    media_id TEXT NOT NULL,
    person_id INTEGER NOT NULL,
    PRIMARY KEY (township_id, media_id, person_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX media_grants_person ON media_grants (township_id, person_id);
