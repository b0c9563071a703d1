-- The State Council's announcement of a year's public holidays, as a township imported it; the last version counts.
CREATE TABLE calendars (
    township_id INTEGER NOT NULL,
    year INTEGER NOT NULL,
    version INTEGER NOT NULL,
    body TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    imported_ms INTEGER NOT NULL,
    imported_by INTEGER,
    PRIMARY KEY (township_id, year, version)
) STRICT, WITHOUT ROWID;
