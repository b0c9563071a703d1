-- Recurring duties: how far each cadence is planned, what came too late to be sent, and the clean-up's effort.

-- `since_ms` is when the cadence was planned for the first time: nothing before it was ever due.
CREATE TABLE cadences (
    township_id INTEGER NOT NULL,
    cadence TEXT NOT NULL,
    since_ms INTEGER NOT NULL,
    planned_through TEXT NOT NULL,
    PRIMARY KEY (township_id, cadence)
) STRICT, WITHOUT ROWID;

-- What was not sent because it was too late (after a downtime, or because of quiet hours), for the digest.
CREATE TABLE duty_drops (
    township_id INTEGER NOT NULL,
    id INTEGER NOT NULL,
    cadence TEXT NOT NULL,
    period TEXT NOT NULL,
    part TEXT NOT NULL,
    people INTEGER NOT NULL,
    planned_ms INTEGER NOT NULL,
    dropped_ms INTEGER NOT NULL,
    PRIMARY KEY (township_id, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX duty_drops_period ON duty_drops (township_id, cadence, period, part);
CREATE INDEX duty_drops_time ON duty_drops (township_id, dropped_ms, cadence, people);

CREATE TRIGGER duty_drops_no_update BEFORE UPDATE ON duty_drops
BEGIN SELECT RAISE(ABORT, 'drops are never changed'); END;
CREATE TRIGGER duty_drops_no_delete BEFORE DELETE ON duty_drops
BEGIN SELECT RAISE(ABORT, 'drops are never deleted'); END;

-- A village's report of one day. A later one of the same day names in `replaces` the one it corrects; the one that
-- nothing replaces stands.
CREATE TABLE cleanup_reports (
    township_id INTEGER NOT NULL,
    id INTEGER NOT NULL,
    day TEXT NOT NULL,
    village_id INTEGER NOT NULL,
    person_id INTEGER NOT NULL,
    words TEXT NOT NULL DEFAULT '',
    photos TEXT NOT NULL DEFAULT '[]',
    replaces INTEGER,
    policy_version INTEGER NOT NULL,
    at_ms INTEGER NOT NULL,
    PRIMARY KEY (township_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX cleanup_reports_day ON cleanup_reports (township_id, day, village_id, at_ms);
CREATE INDEX cleanup_reports_time ON cleanup_reports (township_id, at_ms, day);
CREATE UNIQUE INDEX cleanup_reports_replaces ON cleanup_reports (township_id, replaces) WHERE replaces IS NOT NULL;

CREATE TRIGGER cleanup_reports_no_update BEFORE UPDATE ON cleanup_reports
BEGIN SELECT RAISE(ABORT, 'clean-up reports are never changed'); END;
CREATE TRIGGER cleanup_reports_no_delete BEFORE DELETE ON cleanup_reports
BEGIN SELECT RAISE(ABORT, 'clean-up reports are never deleted'); END;

-- D15: each (metric, unit) is a series of its own. `value_milli` is thousandths of the unit (12人: 12000; 8.5方: 8500).
-- An entry stands while its report stands; the evidence is the report's photos.
CREATE TABLE effort_entries (
    township_id INTEGER NOT NULL,
    id INTEGER NOT NULL,
    report_id INTEGER NOT NULL,
    metric TEXT NOT NULL,
    unit TEXT NOT NULL,
    value_milli INTEGER NOT NULL CHECK (value_milli >= 0),
    village_id INTEGER NOT NULL,
    day TEXT NOT NULL,
    author_id INTEGER NOT NULL,
    at_ms INTEGER NOT NULL,
    PRIMARY KEY (township_id, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX effort_entries_report ON effort_entries (township_id, report_id, metric, unit, value_milli);
CREATE INDEX effort_entries_day ON effort_entries (township_id, day, village_id, metric, unit);

CREATE TRIGGER effort_entries_no_update BEFORE UPDATE ON effort_entries
BEGIN SELECT RAISE(ABORT, 'effort entries are never changed'); END;
CREATE TRIGGER effort_entries_no_delete BEFORE DELETE ON effort_entries
BEGIN SELECT RAISE(ABORT, 'effort entries are never deleted'); END;

-- What a day's digest needs that no event will tell again: its period, and what had not been delivered when it ran.
CREATE TABLE digest_runs (
    township_id INTEGER NOT NULL,
    day TEXT NOT NULL,
    from_ms INTEGER NOT NULL,
    until_ms INTEGER NOT NULL,
    policy_version INTEGER NOT NULL,
    is_cleanup INTEGER NOT NULL,
    ran_ms INTEGER NOT NULL,
    PRIMARY KEY (township_id, day)
) STRICT, WITHOUT ROWID;

-- `area_id` is where the people it was written to belong; 0 for people without an area.
CREATE TABLE digest_undelivered (
    township_id INTEGER NOT NULL,
    day TEXT NOT NULL,
    area_id INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'failed', 'expired')),
    messages INTEGER NOT NULL,
    PRIMARY KEY (township_id, day, area_id, state)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER digest_runs_no_update BEFORE UPDATE ON digest_runs
BEGIN SELECT RAISE(ABORT, 'digest runs are never changed'); END;
CREATE TRIGGER digest_runs_no_delete BEFORE DELETE ON digest_runs
BEGIN SELECT RAISE(ABORT, 'digest runs are never deleted'); END;
