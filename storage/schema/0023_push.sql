-- Browsers that are told when something waits for their page. `endpoint` is an address of the browser's push service
-- that only we were given, `p256dh` and `auth` encrypt for that browser alone, `server_key` is our public key that it
-- trusts. `planned_ms`: for when a push was planned last; `told_ms`: when one went out last. It told of
-- all that was due by then.
CREATE TABLE push_subscriptions (
    township_id INTEGER NOT NULL,
    id TEXT NOT NULL,
    address TEXT NOT NULL,
    endpoint TEXT NOT NULL,
    p256dh TEXT NOT NULL,
    auth TEXT NOT NULL,
    server_key TEXT NOT NULL,
    made_ms INTEGER NOT NULL,
    planned_ms INTEGER NOT NULL DEFAULT 0,
    told_ms INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (township_id, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX push_addresses ON push_subscriptions (township_id, address);
CREATE UNIQUE INDEX push_endpoints ON push_subscriptions (township_id, endpoint);
