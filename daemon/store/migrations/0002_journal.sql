-- journal: every record of the journal up to this one is in this batch or was committed before it.
-- rejected: what was taken with the batch and refused (reasons_code.hpp).
ALTER TABLE reading ADD COLUMN journal INTEGER NOT NULL DEFAULT 0;
ALTER TABLE reading ADD COLUMN rejected BLOB NOT NULL DEFAULT x'';

-- The ledger by series is the item "ledger" (ledger.hpp) and what the batches after it say. A file of
-- schema 1 counted totals only; a new one has no row of state yet.
INSERT INTO item SELECT 'ledger/totals', CAST('1' AS BLOB) FROM state;
