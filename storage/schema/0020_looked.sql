-- When somebody last had the page of a contact before them. Not when they wrote: news goes where they wrote last.
ALTER TABLE contacts ADD COLUMN looked_ms INTEGER NOT NULL DEFAULT 0;
