-- What holds callers to their rates, and answers that are kept for repeated requests.

-- A bucket of requests, kept as the moment when it will be full again: one that is full needs no
-- row. Unlogged, because nobody should wait for the disk over it: after a crash all are full.
-- Without another index, so that drawing from it leaves little behind. drawn: what the last one
-- who drew from it got.
CREATE UNLOGGED TABLE rate_buckets (
    organization_id uuid NOT NULL REFERENCES organizations,
    bucket_id       uuid NOT NULL,
    full_at         timestamptz NOT NULL,
    drawn           integer NOT NULL CHECK (drawn >= 0),
    PRIMARY KEY (bucket_id, organization_id)
) WITH (fillfactor = 50);

-- Answers by the digest of their Idempotency-Key. What was asked and answered is there only for
-- whoever has the key and the caller's secret: neither is here.
CREATE TABLE replies (
    organization_id uuid NOT NULL REFERENCES organizations,
    key_sha256      bytea NOT NULL CHECK (octet_length(key_sha256) = 32),
    fingerprint     bytea NOT NULL CHECK (octet_length(fingerprint) = 32),
    claim           uuid NOT NULL,
    sealed          bytea,
    forget_at       timestamptz NOT NULL,
    PRIMARY KEY (key_sha256, organization_id)
);

CREATE INDEX replies_old ON replies (forget_at);

-- How many batches an organization has open.
CREATE INDEX batches_open ON batches (organization_id) WHERE closed_at IS NULL;

DO $$
DECLARE
    tenant text;
BEGIN
    FOREACH tenant IN ARRAY ARRAY['rate_buckets', 'replies'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', tenant);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', tenant);
        EXECUTE format(
            'CREATE POLICY all_rows ON %I TO laydown_system USING (true) WITH CHECK (true)', tenant);
    END LOOP;
END
$$;
CREATE POLICY own_rows ON replies TO laydown_app
    USING (organization_id = current_organization())
    WITH CHECK (organization_id = current_organization());

GRANT SELECT, INSERT, UPDATE, DELETE ON replies TO laydown_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON rate_buckets TO laydown_system;
GRANT SELECT (organization_id, key_sha256, forget_at), DELETE ON replies TO laydown_system;
