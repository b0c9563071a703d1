-- How far off the phone said that a case's position may be, in metres; NULL where it did not say.
ALTER TABLE cases ADD COLUMN accuracy_m INTEGER;
