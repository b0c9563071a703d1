-- Several workers on one database: each township's turn is a row that is locked, and a flood keeps its order.

-- Whoever decides something in a township holds this row meanwhile (PostgreSQL; a file has one writer anyway).
CREATE TABLE turns (
    township_id INTEGER NOT NULL,
    PRIMARY KEY (township_id)
) STRICT, WITHOUT ROWID;
INSERT INTO turns (township_id) SELECT township_id FROM townships;

-- Who delivers for a township: whoever begins to adds one, so that the one before finds out when it writes.
CREATE TABLE deliveries (
    township_id INTEGER NOT NULL,
    claim       INTEGER NOT NULL,
    PRIMARY KEY (township_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX inbox_put_off ON inbox (township_id, address, id) WHERE state = 'new' AND due_ms > received_ms;
