-- The ledger gives blobs in the order in which stores list objects, byte by byte, whatever the
-- order of the database's language.
ALTER TABLE blobs ALTER COLUMN object_key TYPE text COLLATE "C";
