-- When a ticket waited for staff: from an event (held, objected) until the next one, NULL while it still does. It is
-- worked out from the events, so that what waits is found without walking all that ever did; `verify` compares them.
CREATE TABLE film_waits (
    township_id INTEGER NOT NULL,
    event_id INTEGER NOT NULL,
    ticket_id INTEGER NOT NULL,
    village_id INTEGER NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('held', 'objected')),
    since_ms INTEGER NOT NULL,
    until_ms INTEGER,
    PRIMARY KEY (township_id, event_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX film_waits_open ON film_waits (township_id, ticket_id) WHERE until_ms IS NULL;
CREATE INDEX film_waits_over ON film_waits (township_id, until_ms, since_ms) WHERE until_ms IS NOT NULL;

INSERT INTO film_waits (township_id, event_id, ticket_id, village_id, kind, since_ms, until_ms)
SELECT e.township_id, e.id, e.ticket_id, e.village_id, e.kind, e.at_ms,
    (SELECT d.at_ms FROM film_ticket_events d WHERE d.township_id = e.township_id AND d.ticket_id = e.ticket_id
        AND d.id > e.id ORDER BY d.id LIMIT 1)
FROM film_ticket_events e WHERE e.kind IN ('held', 'objected');
