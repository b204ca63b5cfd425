-- Stores that take bytes from clients directly, and scanners that judge what they took.

-- What the store calls the multipart upload of the current attempt.
ALTER TABLE uploads ADD COLUMN multipart_id text;
CREATE INDEX uploads_unreported ON uploads (id) WHERE state = 'receiving';

-- Which bytes exactly, as the store names them, and who looked through them.
ALTER TABLE blobs
    ADD COLUMN store_version text,
    ADD COLUMN scanned_by text NOT NULL DEFAULT 'none',
    ADD COLUMN is_infected boolean NOT NULL DEFAULT false;

-- A blob whose object is gone or infected leaves deduplication; the same bytes may come again.
DROP INDEX one_blob_a_digest;
CREATE UNIQUE INDEX one_blob_a_digest ON blobs (sha256, organization_id)
    WHERE NOT is_missing AND NOT is_infected;

-- What is quarantined waits for the job that discards it.
CREATE INDEX jobs_of_object ON jobs (object_key) WHERE object_key IS NOT NULL;

CREATE TYPE scan_verdict AS ENUM ('clean', 'infected', 'unscannable');

-- What a scanner said of an object, whether it came before the proof or after it.
CREATE TABLE scans (
    organization_id uuid NOT NULL REFERENCES organizations,
    object_key      text NOT NULL,
    scanner         text NOT NULL,
    verdict         scan_verdict NOT NULL,
    threat          text,
    store_version   text,
    scanned_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (object_key, organization_id)
);

-- What is proven of an object that waits for a scanner's word.
CREATE TABLE proofs (
    organization_id uuid NOT NULL REFERENCES organizations,
    object_key      text NOT NULL,
    sha256          bytea NOT NULL CHECK (octet_length(sha256) = 32),
    size            bigint NOT NULL CHECK (size >= 0),
    kind            text NOT NULL,
    is_pointer      boolean NOT NULL,
    store_version   text,
    proven_at       timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (object_key, organization_id)
);

DO $$
DECLARE
    tenant text;
BEGIN
    FOREACH tenant IN ARRAY ARRAY['scans', 'proofs'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', tenant);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', tenant);
        EXECUTE format(
            'CREATE POLICY own_rows ON %I TO laydown_app
                 USING (organization_id = current_organization())
                 WITH CHECK (organization_id = current_organization())', tenant);
    END LOOP;
END
$$;

GRANT SELECT, INSERT, UPDATE, DELETE ON scans, proofs TO laydown_app;
