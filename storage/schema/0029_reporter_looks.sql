-- Who asked to see who reported a case, who confirmed or declined that, each look, and each try that was refused.
-- `request_id` is the id of the row `asked` that an entry belongs to; of a refused try its own. `why` is the reason's id,
-- of a refused try why it was refused. Nothing here says who reported; and as a reporter may have tried it themselves,
-- who acted is sealed like who reported, with the words they gave: `sealed`, looked up by `actor_key`.
CREATE TABLE reporter_looks (
    township_id INTEGER NOT NULL,
    id INTEGER NOT NULL,
    request_id INTEGER NOT NULL,
    case_id INTEGER NOT NULL,
    event TEXT NOT NULL CHECK (event IN ('asked', 'confirmed', 'declined', 'seen', 'refused')),
    actor_key INTEGER,
    sealed BLOB,
    why TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    PRIMARY KEY (township_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX reporter_looks_request ON reporter_looks (township_id, request_id, id);
CREATE INDEX reporter_looks_asked ON reporter_looks (township_id, case_id, actor_key, id) WHERE event = 'asked';
CREATE INDEX reporter_looks_refused ON reporter_looks (township_id, actor_key) WHERE event = 'refused';

CREATE TRIGGER reporter_looks_no_delete BEFORE DELETE ON reporter_looks
BEGIN SELECT RAISE(ABORT, 'looks at a reporter are never deleted'); END;
