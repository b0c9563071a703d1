-- What was granted for reports in a month, by who verified them (0: by all of them), in points.
CREATE TABLE reward_months (
    township_id INTEGER NOT NULL,
    month TEXT NOT NULL,
    verifier_id INTEGER NOT NULL,
    points INTEGER NOT NULL,
    PRIMARY KEY (township_id, month, verifier_id)
) STRICT, WITHOUT ROWID;

-- Cases that are found true and whose reward waits, because a month's points were used up: of who verified, or of all.
-- `ended_ms`: let go, by somebody else (`ended_by`) or with the next month, or decided anew meanwhile.
CREATE TABLE reward_holds (
    township_id INTEGER NOT NULL,
    id INTEGER NOT NULL,
    case_id INTEGER NOT NULL,
    verifier_id INTEGER NOT NULL,
    why TEXT NOT NULL CHECK (why IN ('verifier', 'programme')),
    since_ms INTEGER NOT NULL,
    ended_ms INTEGER,
    ended_by INTEGER,
    PRIMARY KEY (township_id, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX reward_holds_open ON reward_holds (township_id, case_id) WHERE ended_ms IS NULL;

-- What stands out between who verifies and who is rewarded, counted once when a month is over: no case, no reporter.
CREATE TABLE reward_hints (
    township_id INTEGER NOT NULL,
    month TEXT NOT NULL,
    verifier_id INTEGER NOT NULL,
    hint TEXT NOT NULL CHECK (hint IN ('household', 'chat', 'often')),
    times INTEGER NOT NULL,
    of_cases INTEGER NOT NULL,
    PRIMARY KEY (township_id, month, verifier_id, hint)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER reward_hints_no_update BEFORE UPDATE ON reward_hints
BEGIN SELECT RAISE(ABORT, 'hints are never changed'); END;
CREATE TRIGGER reward_hints_no_delete BEFORE DELETE ON reward_hints
BEGIN SELECT RAISE(ABORT, 'hints are never deleted'); END;
