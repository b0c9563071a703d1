-- Whose a photo is: `person_id` and `owner_address` (and `media_grants.person_id`) hold what stands for them where photos
-- are looked up; `sealed` the person and the address. A township with photos of before turns them into that once.
ALTER TABLE media ADD COLUMN sealed BLOB;
INSERT INTO erased_through (township_id, what, through_id) SELECT township_id, 'seal.photos', 0 FROM townships;
