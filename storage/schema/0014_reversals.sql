-- What somebody decided and what was taken back of it: an entry of another table (`entry_id`: a case's event, a ticket's)
-- counts no more from `at_ms` on. `withdrawn`: by whoever decided, before anybody heard of it; `overturned`: by another
-- person, with a reason. `entry_ms` is when it was decided, so that a figure of the past can be run again.
CREATE TABLE reversals (
    township_id INTEGER NOT NULL,
    id INTEGER NOT NULL,
    what TEXT NOT NULL,
    subject_id INTEGER NOT NULL,
    entry_id INTEGER NOT NULL,
    entry_ms INTEGER NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('withdrawn', 'overturned')),
    person_id INTEGER NOT NULL,
    reason TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    PRIMARY KEY (township_id, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX reversals_entry ON reversals (township_id, entry_id);
CREATE INDEX reversals_subject ON reversals (township_id, what, subject_id, id);
CREATE INDEX reversals_time ON reversals (township_id, what, at_ms);

CREATE TRIGGER reversals_no_update BEFORE UPDATE ON reversals
BEGIN SELECT RAISE(ABORT, 'reversals are never changed'); END;
CREATE TRIGGER reversals_no_delete BEFORE DELETE ON reversals
BEGIN SELECT RAISE(ABORT, 'reversals are never deleted'); END;
