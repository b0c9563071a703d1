-- A trouble of a channel, or of another part, that is over: what it was, and until when. '' and 0: none yet.
ALTER TABLE channel_faults ADD COLUMN was TEXT NOT NULL DEFAULT '';
ALTER TABLE channel_faults ADD COLUMN until_ms INTEGER NOT NULL DEFAULT 0;
