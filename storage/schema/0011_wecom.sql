-- WeCom: whom the robots of its groups may call, and the letters in which they do.

-- What somebody is known by in WeCom (a user id or a mobile number), told to be called by it and for nothing else;
-- '' when they have taken it back.
CREATE TABLE wecom_names (
    township_id INTEGER NOT NULL,
    person_id INTEGER NOT NULL,
    name TEXT NOT NULL,
    agreed_ms INTEGER NOT NULL,
    PRIMARY KEY (township_id, person_id)
) STRICT, WITHOUT ROWID;

-- So that a name that was taken back is found in the letters that call it.
CREATE INDEX outbox_wecom ON outbox (township_id, id) WHERE channel = 'wecom';
