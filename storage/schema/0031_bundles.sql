-- How many notices of one kind of what waits somebody was told one by one since `from_ms`; `since_ms`: from when on
-- what came is gathered, to be told together; NULL: nothing is.
CREATE TABLE bundles (
    township_id INTEGER NOT NULL,
    person_id INTEGER NOT NULL,
    wait TEXT NOT NULL,
    from_ms INTEGER NOT NULL,
    told INTEGER NOT NULL,
    since_ms INTEGER,
    PRIMARY KEY (township_id, person_id, wait)
) STRICT, WITHOUT ROWID;
-- What was gathered: the numbers by which `Pending` names it.
CREATE TABLE bundled (
    township_id INTEGER NOT NULL,
    person_id INTEGER NOT NULL,
    wait TEXT NOT NULL,
    number TEXT NOT NULL,
    PRIMARY KEY (township_id, person_id, wait, number)
) STRICT, WITHOUT ROWID;
