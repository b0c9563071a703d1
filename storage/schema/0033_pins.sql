-- What a person types before something is released or revealed, as a slow hash; `hash` NULL: none (reset, or erased).
CREATE TABLE pins (
    township_id INTEGER NOT NULL,
    person_id INTEGER NOT NULL,
    hash TEXT,
    changed_ms INTEGER NOT NULL,
    PRIMARY KEY (township_id, person_id)
) STRICT, WITHOUT ROWID;

-- What became of a PIN, never the digits: set, changed, reset (`by_id`: who did that), given rightly or wrongly, and
-- `over`: what was given rightly counts no more. `door` stands for the chat in which that was.
CREATE TABLE pin_events (
    township_id INTEGER NOT NULL,
    id INTEGER NOT NULL,
    person_id INTEGER NOT NULL,
    event TEXT NOT NULL CHECK (event IN ('set', 'changed', 'reset', 'right', 'wrong', 'over')),
    door TEXT,
    by_id INTEGER,
    at_ms INTEGER NOT NULL,
    PRIMARY KEY (township_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX pin_events_person ON pin_events (township_id, person_id, id);

CREATE TRIGGER pin_events_no_delete BEFORE DELETE ON pin_events
BEGIN SELECT RAISE(ABORT, 'what became of a PIN is never deleted'); END;
