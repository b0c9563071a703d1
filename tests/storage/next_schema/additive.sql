-- What a version to come may do to the tables while workers of this version still run: it only adds.

CREATE TABLE neighbours (
    township_id INTEGER NOT NULL,
    id INTEGER NOT NULL,
    person_id INTEGER NOT NULL,
    words TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (township_id, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX neighbours_person ON neighbours (township_id, person_id);
CREATE TRIGGER neighbours_no_delete BEFORE DELETE ON neighbours
BEGIN SELECT RAISE(ABORT, 'neighbours are never deleted'); END;
INSERT INTO neighbours (township_id, id, person_id) SELECT township_id, id, id FROM people;

ALTER TABLE inbox ADD COLUMN weight INTEGER;
ALTER TABLE outbox ADD COLUMN mood TEXT;
ALTER TABLE sessions ADD COLUMN turns_taken INTEGER NOT NULL DEFAULT 0;
ALTER TABLE people ADD COLUMN nickname TEXT NOT NULL DEFAULT '';
ALTER TABLE transfers ADD COLUMN seal BLOB;
ALTER TABLE cases ADD COLUMN next_accuracy_m REAL;
ALTER TABLE film_tickets ADD COLUMN moisture_bp INTEGER NOT NULL DEFAULT 0;
ALTER TABLE households ADD COLUMN village_group TEXT;
UPDATE people SET nickname = name WHERE nickname = '';

CREATE INDEX inbox_weight ON inbox (township_id, weight, id) WHERE weight IS NOT NULL;
CREATE INDEX cases_accuracy ON cases (township_id, next_accuracy_m);
