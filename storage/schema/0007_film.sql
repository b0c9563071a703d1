-- Film by weight: tickets and what became of them. Both are only ever added to: a ticket's state is its last event,
-- and every figure is a sum of events, so that a period gives the same figures whenever it is run again.

-- Rates are ten-thousandths (of a fen, of a point) a kilogram. `*_left` is what a policy's cap left on that day when
-- the ticket was written (NULL: no cap), `*_period` the period of the fund's cap ('' for none): with the policy
-- version they are all that the amounts are worked out from.
CREATE TABLE film_tickets (
    township_id INTEGER NOT NULL,
    id INTEGER NOT NULL,
    number TEXT NOT NULL,
    household_id INTEGER NOT NULL,
    village_id INTEGER NOT NULL,
    area_id INTEGER NOT NULL,
    station_id INTEGER,
    operator_id INTEGER NOT NULL,
    kind TEXT NOT NULL,
    gross_g INTEGER NOT NULL,
    tare_g INTEGER NOT NULL CHECK (tare_g >= 0),
    net_g INTEGER NOT NULL CHECK (net_g > 0),
    impurity_bp INTEGER NOT NULL CHECK (impurity_bp BETWEEN 0 AND 10000),
    accepted_g INTEGER NOT NULL CHECK (accepted_g BETWEEN 0 AND net_g),
    policy_version INTEGER NOT NULL,
    county_rate_e4 INTEGER NOT NULL,
    township_rate_e4 INTEGER NOT NULL,
    points_rate_e4 INTEGER NOT NULL,
    county_left_fen INTEGER,
    township_left_fen INTEGER,
    points_left INTEGER NOT NULL,
    county_period TEXT NOT NULL DEFAULT '',
    township_period TEXT NOT NULL DEFAULT '',
    county_fen INTEGER NOT NULL CHECK (county_fen >= 0),
    township_fen INTEGER NOT NULL CHECK (township_fen >= 0),
    points INTEGER NOT NULL CHECK (points >= 0),
    held_for TEXT NOT NULL DEFAULT '',
    photos TEXT NOT NULL DEFAULT '[]',
    corrects INTEGER,
    weighed_ms INTEGER NOT NULL,
    created_ms INTEGER NOT NULL,
    PRIMARY KEY (township_id, id),
    CHECK (net_g = gross_g - tare_g)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX film_tickets_number ON film_tickets (township_id, number);
CREATE INDEX film_tickets_household ON film_tickets (township_id, household_id, weighed_ms);
CREATE INDEX film_tickets_operator ON film_tickets (township_id, operator_id, created_ms);
CREATE UNIQUE INDEX film_tickets_corrects ON film_tickets (township_id, corrects) WHERE corrects IS NOT NULL;

CREATE TRIGGER film_tickets_no_update BEFORE UPDATE ON film_tickets
BEGIN SELECT RAISE(ABORT, 'tickets are never changed'); END;
CREATE TRIGGER film_tickets_no_delete BEFORE DELETE ON film_tickets
BEGIN SELECT RAISE(ABORT, 'tickets are never deleted'); END;

-- counted and approved carry the ticket's figures, reversed carries them negative, the others carry zeros.
CREATE TABLE film_ticket_events (
    township_id INTEGER NOT NULL,
    id INTEGER NOT NULL,
    ticket_id INTEGER NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('counted', 'held', 'approved', 'refused', 'objected', 'upheld', 'reversed')),
    by_person INTEGER,
    note TEXT NOT NULL DEFAULT '',
    village_id INTEGER NOT NULL,
    accepted_g INTEGER NOT NULL DEFAULT 0,
    county_fen INTEGER NOT NULL DEFAULT 0,
    township_fen INTEGER NOT NULL DEFAULT 0,
    points INTEGER NOT NULL DEFAULT 0,
    at_ms INTEGER NOT NULL,
    PRIMARY KEY (township_id, id)
) STRICT, WITHOUT ROWID;
-- With all that a ticket's state at a moment needs: SQLite takes an index that does not cover for no index at all.
CREATE INDEX film_events_ticket ON film_ticket_events (township_id, ticket_id, id, kind, at_ms);
CREATE INDEX film_events_period ON film_ticket_events
    (township_id, village_id, kind, at_ms, accepted_g, county_fen, township_fen, points);
CREATE INDEX film_events_waiting ON film_ticket_events (township_id, at_ms, village_id, ticket_id)
    WHERE kind IN ('held', 'objected');

CREATE TRIGGER film_ticket_events_no_update BEFORE UPDATE ON film_ticket_events
BEGIN SELECT RAISE(ABORT, 'ticket events are never changed'); END;
CREATE TRIGGER film_ticket_events_no_delete BEFORE DELETE ON film_ticket_events
BEGIN SELECT RAISE(ABORT, 'ticket events are never deleted'); END;

CREATE TABLE film_numbers (
    township_id INTEGER NOT NULL,
    year INTEGER NOT NULL,
    last INTEGER NOT NULL,
    PRIMARY KEY (township_id, year)
) STRICT, WITHOUT ROWID;

-- What tickets have taken (or, while held, reserved) of a fund's cap; re-derived from tickets by `doctor`.
CREATE TABLE film_budgets (
    township_id INTEGER NOT NULL,
    fund TEXT NOT NULL CHECK (fund IN ('county', 'township')),
    period TEXT NOT NULL,
    spent_fen INTEGER NOT NULL CHECK (spent_fen >= 0),
    PRIMARY KEY (township_id, fund, period)
) STRICT, WITHOUT ROWID;
