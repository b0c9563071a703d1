-- Which of a web page's cookies hold. They carry the moment at which they were made: those of before `cookies_from_ms`
-- are void; those of before `renew_ms` (their person joined two chats, or gained a role) are exchanged for newer ones.
ALTER TABLE contacts ADD COLUMN cookies_from_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE contacts ADD COLUMN renew_ms INTEGER NOT NULL DEFAULT 0;
