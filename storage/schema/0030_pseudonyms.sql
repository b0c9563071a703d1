-- Who somebody is: names are sealed; which household is whose is looked up by what stands for the person (`person_id`, and
-- `linked_by`, `decided_by` for whoever said so), `sealed` holds both; addresses at platforms are pseudonyms in all tables.
-- A township with rows of before turns them into that once.
ALTER TABLE household_members ADD COLUMN sealed BLOB;
ALTER TABLE household_claims ADD COLUMN sealed BLOB;
INSERT INTO erased_through (township_id, what, through_id) SELECT township_id, 'seal.people', 0 FROM townships;
