-- WeChat: answers that go out as the reply to the very update, how much else may be sent to a person, tokens, faults.

-- The update that a message answers, while (and after) it is kept for the reply to that update; else NULL.
ALTER TABLE outbox ADD COLUMN answers INTEGER;
CREATE INDEX outbox_answers ON outbox (township_id, answers) WHERE answers IS NOT NULL;

-- Where choices are typed: which numbers those of a message have that went by itself (1: 011, 012; 2: 021). 0: an
-- answer that came too late for its reply. Else NULL.
ALTER TABLE outbox ADD COLUMN series INTEGER;

-- What WeChat still lets us send to a person by itself; `heard_id` is the last of their updates that is counted in.
CREATE TABLE wechat_quotas (
    township_id INTEGER NOT NULL,
    address TEXT NOT NULL,
    heard_id INTEGER NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (township_id, address)
) STRICT, WITHOUT ROWID;

CREATE TABLE wechat_tokens (
    township_id INTEGER NOT NULL,
    name TEXT NOT NULL,
    token TEXT NOT NULL,
    expires_ms INTEGER NOT NULL,
    PRIMARY KEY (township_id, name)
) STRICT, WITHOUT ROWID;

-- What keeps a channel from working until the operator does something; a row with '' is over.
CREATE TABLE channel_faults (
    township_id INTEGER NOT NULL,
    channel TEXT NOT NULL,
    fault TEXT NOT NULL,
    since_ms INTEGER NOT NULL,
    PRIMARY KEY (township_id, channel)
) STRICT, WITHOUT ROWID;

-- The address of another platform from which a web page was signed in ('': none): news goes there, not to the page.
ALTER TABLE contacts ADD COLUMN opened_from TEXT NOT NULL DEFAULT '';
CREATE INDEX contacts_opened_from ON contacts (township_id, opened_from) WHERE opened_from <> '';
