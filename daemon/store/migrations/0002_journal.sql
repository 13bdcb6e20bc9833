-- journal: every record of the journal up to this one is in this batch or was committed before it.
-- rejected: what was taken with the batch and refused (reasons_code.hpp).
ALTER TABLE reading ADD COLUMN journal INTEGER NOT NULL DEFAULT 0;
ALTER TABLE reading ADD COLUMN rejected BLOB NOT NULL DEFAULT x'';
