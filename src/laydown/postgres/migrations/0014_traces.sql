-- A batch is in one trace (W3C Trace Context) from its declaration to its last file, and its jobs
-- say so too, for whoever does them.
ALTER TABLE batches ADD COLUMN trace text CHECK (length(trace) = 55);
ALTER TABLE jobs ADD COLUMN trace text CHECK (length(trace) = 55);
