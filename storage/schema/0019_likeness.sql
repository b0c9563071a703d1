-- What a photo looks like, as 64 bits in hexadecimal: two that differ in few bits are the same picture, sent twice.
ALTER TABLE media ADD COLUMN likeness TEXT;
