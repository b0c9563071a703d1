-- Photos that were uploaded and belong to nothing yet, since when; NULL once they were filed with something.
ALTER TABLE media ADD COLUMN loose_ms INTEGER;
CREATE INDEX media_loose ON media (township_id, loose_ms) WHERE loose_ms IS NOT NULL;
UPDATE media SET loose_ms = created_ms WHERE channel = 'web' AND person_id IS NULL AND state = 'ready';
