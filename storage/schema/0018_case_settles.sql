-- Until when a decision about a case can be taken back; NULL when nothing is put off any more.
ALTER TABLE cases ADD COLUMN settles_ms INTEGER;
