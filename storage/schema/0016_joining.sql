-- Who typed a joining code: its owner says in the old chat whether that was them, before anything is joined.
ALTER TABLE invitations ADD COLUMN asked_by INTEGER;
ALTER TABLE invitations ADD COLUMN asked_ms INTEGER;

-- What became of a person's contacts: joined, refused, disconnected.
CREATE TABLE contact_events (
    township_id INTEGER NOT NULL,
    id INTEGER NOT NULL,
    person_id INTEGER NOT NULL,
    channel TEXT NOT NULL,
    event TEXT NOT NULL CHECK (event IN ('joined', 'refused', 'disconnected')),
    at_ms INTEGER NOT NULL,
    PRIMARY KEY (township_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX contact_events_person ON contact_events (township_id, person_id, id);
CREATE INDEX wrong_codes_at ON wrong_codes (township_id, at_ms);
