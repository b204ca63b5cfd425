-- The ledger from nothing. Every tenant table has its organization in its keys, so that no
-- row can refer across organizations, and forced row-level security as a second lock.
--
-- Keys lead with what is selective, never with the organization: on a table without statistics
-- the planner believes that an organization has few rows, and would read all of them to find one.

-- Two roles that own nothing and bypass nothing. Connections take one of them at once.
-- laydown_app sees one organization a transaction; laydown_system sees, across organizations,
-- only what must be read before an organization is known.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'laydown_app') THEN
        CREATE ROLE laydown_app NOLOGIN NOBYPASSRLS;
    END IF;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'laydown_system') THEN
        CREATE ROLE laydown_system NOLOGIN NOBYPASSRLS;
    END IF;
    -- Who makes a role may give it, but isn't in it from Postgres 16 on.
    IF NOT pg_has_role(current_user, 'laydown_app', 'USAGE')
       OR NOT pg_has_role(current_user, 'laydown_system', 'USAGE') THEN
        EXECUTE format('GRANT laydown_app, laydown_system TO %I', current_user);
    END IF;
END
$$;

CREATE FUNCTION current_organization() RETURNS uuid
LANGUAGE sql STABLE PARALLEL SAFE
RETURN nullif(current_setting('laydown.organization', true), '')::uuid;

CREATE TABLE organizations (
    id         uuid PRIMARY KEY,
    name       text NOT NULL UNIQUE,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE tokens (
    id              uuid PRIMARY KEY,
    organization_id uuid NOT NULL REFERENCES organizations,
    name            text NOT NULL,
    secret_sha256   bytea NOT NULL CHECK (octet_length(secret_sha256) = 32),
    created_at      timestamptz NOT NULL DEFAULT now(),
    expires_at      timestamptz,
    revoked_at      timestamptz
);

CREATE TABLE projects (
    organization_id uuid NOT NULL REFERENCES organizations,
    id              uuid NOT NULL,
    code            text NOT NULL,
    code_folded     text NOT NULL,
    name            text NOT NULL,
    time_zone       text,
    latitude        double precision CHECK (latitude BETWEEN -90 AND 90),
    longitude       double precision CHECK (longitude BETWEEN -180 AND 180),
    created_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (organization_id, id),
    CONSTRAINT one_project_a_code UNIQUE (organization_id, code_folded),
    CHECK ((latitude IS NULL) = (longitude IS NULL))
);

CREATE TYPE on_conflict AS ENUM ('new_version', 'skip', 'reject');

CREATE TABLE batches (
    organization_id uuid NOT NULL,
    id              uuid NOT NULL,
    project_id      uuid NOT NULL,
    reference       text NOT NULL,
    label           text,
    on_conflict     on_conflict NOT NULL,
    created_at      timestamptz NOT NULL DEFAULT now(),
    touched_at      timestamptz NOT NULL DEFAULT now(),
    closed_at       timestamptz,
    PRIMARY KEY (organization_id, id),
    FOREIGN KEY (organization_id, project_id) REFERENCES projects
);

-- One open batch a reference; closed ones are its history.
CREATE UNIQUE INDEX one_open_batch_a_reference
    ON batches (project_id, reference) WHERE closed_at IS NULL;
CREATE INDEX batches_idle ON batches (touched_at) WHERE closed_at IS NULL;

CREATE TYPE upload_state AS ENUM (
    'declared', 'receiving', 'sealing', 'checking', 'processing',
    'ready', 'duplicate', 'skipped', 'rejected', 'cancelled', 'expired', 'failed'
);

-- The state machine of domain/lifecycle.py, as Postgres enforces it.
CREATE FUNCTION upload_may_move(was upload_state, becomes upload_state) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE was
    WHEN 'declared' THEN becomes IN ('receiving', 'checking', 'duplicate', 'skipped', 'rejected', 'cancelled', 'expired')
    WHEN 'receiving' THEN becomes IN ('declared', 'sealing', 'cancelled', 'expired')
    WHEN 'sealing' THEN becomes IN ('checking', 'rejected', 'failed')
    WHEN 'checking' THEN becomes IN ('processing', 'duplicate', 'skipped', 'rejected', 'failed')
    WHEN 'processing' THEN becomes IN ('ready', 'failed')
    WHEN 'rejected' THEN becomes = 'declared'
    WHEN 'expired' THEN becomes = 'declared'
    WHEN 'failed' THEN becomes = 'checking'
    ELSE false
END;

CREATE TABLE blobs (
    organization_id uuid NOT NULL REFERENCES organizations,
    id              uuid NOT NULL,
    sha256          bytea NOT NULL CHECK (octet_length(sha256) = 32),
    size            bigint NOT NULL CHECK (size >= 0),
    kind            text NOT NULL,
    media_type      text NOT NULL,
    object_key      text NOT NULL UNIQUE,
    is_missing      boolean NOT NULL DEFAULT false,
    proven_at       timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (id, organization_id)
);

-- A blob whose object is gone leaves deduplication; the same bytes may then come again.
CREATE UNIQUE INDEX one_blob_a_digest ON blobs (sha256, organization_id) WHERE NOT is_missing;

CREATE TABLE documents (
    organization_id uuid NOT NULL,
    id              uuid NOT NULL,
    project_id      uuid NOT NULL,
    path            text NOT NULL,
    path_folded     text NOT NULL,
    last_number     integer NOT NULL DEFAULT 0,
    current_id      uuid,
    current_order   bigint,
    created_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (id, organization_id),
    FOREIGN KEY (organization_id, project_id) REFERENCES projects,
    CHECK ((last_number = 0) = (current_id IS NULL)),
    CHECK ((current_id IS NULL) = (current_order IS NULL))
);

-- Paths are compared byte by byte once folded; "C" makes prefixes and cursors plain ranges.
CREATE UNIQUE INDEX one_document_a_path
    ON documents (project_id, path_folded COLLATE "C");

CREATE TABLE uploads (
    organization_id uuid NOT NULL,
    id              uuid NOT NULL,
    project_id      uuid NOT NULL,
    batch_id        uuid NOT NULL,
    ordinal         bigint GENERATED ALWAYS AS IDENTITY,
    key             text NOT NULL,
    path            text NOT NULL,
    path_folded     text NOT NULL,
    size            bigint NOT NULL,
    claimed_sha256  bytea CHECK (octet_length(claimed_sha256) = 32),
    content_type    text,
    modified_at     timestamptz,
    captured_at     timestamptz,
    latitude        double precision,
    longitude       double precision,
    state           upload_state NOT NULL,
    reason          text,
    detail          text,
    attempt         integer NOT NULL DEFAULT 1 CHECK (attempt > 0),
    part_size       bigint CHECK (part_size > 0),
    parts           integer NOT NULL CHECK (parts > 0),
    leader_id       uuid,
    received        bigint NOT NULL DEFAULT 0,
    crc64nvme       bigint,
    sha256          bytea CHECK (octet_length(sha256) = 32),
    object_key      text,
    version_id      uuid,
    declared_at     timestamptz NOT NULL DEFAULT now(),
    moved_at        timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (id, organization_id),
    FOREIGN KEY (organization_id, batch_id) REFERENCES batches,
    FOREIGN KEY (leader_id, organization_id) REFERENCES uploads,
    CONSTRAINT one_upload_a_key UNIQUE (batch_id, key),
    CONSTRAINT never_more_than_declared CHECK (received BETWEEN 0 AND size),
    CONSTRAINT single_or_multipart CHECK (part_size IS NOT NULL OR parts = 1),
    CONSTRAINT only_declared_wait CHECK (leader_id IS NULL OR state = 'declared'),
    CONSTRAINT published_means_proven CHECK (
        state NOT IN ('processing', 'ready', 'duplicate')
        OR (sha256 IS NOT NULL AND version_id IS NOT NULL)
    ),
    CONSTRAINT past_receiving_means_whole CHECK (
        state NOT IN ('sealing', 'checking', 'processing', 'ready')
        OR (received = size AND object_key IS NOT NULL)
    ),
    CONSTRAINT refused_means_why CHECK (
        state NOT IN ('skipped', 'rejected', 'cancelled', 'expired', 'failed')
        OR reason IS NOT NULL
    )
);

CREATE INDEX uploads_of_batch ON uploads (batch_id, ordinal);
CREATE INDEX uploads_counted ON uploads (batch_id, state, reason) INCLUDE (size, received, moved_at);
CREATE INDEX uploads_by_digest ON uploads (batch_id, claimed_sha256)
    WHERE state IN ('declared', 'receiving', 'sealing', 'checking');
CREATE INDEX uploads_by_path ON uploads (batch_id, path_folded COLLATE "C");
CREATE INDEX uploads_waiting ON uploads (leader_id) WHERE leader_id IS NOT NULL;
CREATE INDEX uploads_quiet ON uploads (moved_at) WHERE state IN ('declared', 'receiving');

CREATE FUNCTION refuse_illegal_move() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'an upload that is % cannot become %', OLD.state, NEW.state
        USING ERRCODE = 'check_violation', CONSTRAINT = 'upload_may_move';
END
$$;

CREATE TRIGGER uploads_move
    BEFORE UPDATE OF state ON uploads
    FOR EACH ROW
    WHEN (OLD.state <> NEW.state AND NOT upload_may_move(OLD.state, NEW.state))
    EXECUTE FUNCTION refuse_illegal_move();

CREATE TABLE parts (
    organization_id uuid NOT NULL,
    upload_id       uuid NOT NULL,
    attempt         integer NOT NULL,
    number          integer NOT NULL CHECK (number > 0),
    size            bigint NOT NULL CHECK (size > 0),
    crc64nvme       bigint NOT NULL,
    landed_at       timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (upload_id, attempt, number, organization_id),
    FOREIGN KEY (upload_id, organization_id) REFERENCES uploads
);

CREATE TABLE versions (
    organization_id uuid NOT NULL,
    id              uuid NOT NULL,
    document_id     uuid NOT NULL,
    number          integer NOT NULL CHECK (number > 0),
    upload_id       uuid NOT NULL,
    blob_id         uuid NOT NULL,
    created_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (id, organization_id),
    FOREIGN KEY (document_id, organization_id) REFERENCES documents,
    FOREIGN KEY (upload_id, organization_id) REFERENCES uploads,
    FOREIGN KEY (blob_id, organization_id) REFERENCES blobs,
    CONSTRAINT one_version_a_number UNIQUE (document_id, number),
    CONSTRAINT one_version_an_upload UNIQUE (upload_id)
);

-- What the same bytes under the same extension were refused for, so that they needn't come again.
CREATE TABLE refusals (
    organization_id uuid NOT NULL REFERENCES organizations,
    sha256          bytea NOT NULL,
    extension       text NOT NULL,
    policy          integer NOT NULL,
    reason          text NOT NULL,
    PRIMARY KEY (sha256, extension, policy, organization_id)
);

CREATE TABLE jobs (
    id              uuid PRIMARY KEY,
    organization_id uuid NOT NULL,
    kind            text NOT NULL,
    upload_id       uuid,
    object_key      text,
    attempt         integer NOT NULL DEFAULT 0,
    run_at          timestamptz NOT NULL DEFAULT now(),
    leased_until    timestamptz,
    worker          uuid,
    dead_at         timestamptz,
    last_error      text,
    created_at      timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX jobs_waiting ON jobs (organization_id, run_at) WHERE dead_at IS NULL AND leased_until IS NULL;
CREATE INDEX jobs_leased ON jobs (leased_until) WHERE dead_at IS NULL AND leased_until IS NOT NULL;
CREATE INDEX jobs_dead ON jobs (organization_id, id) WHERE dead_at IS NOT NULL;

-- Numbers are dense and follow the order of commits, because the row of event_heads is taken by
-- the last statement of a transaction; a sequence would let a reader pass 8 before 7 commits.
CREATE TABLE event_heads (
    organization_id uuid PRIMARY KEY REFERENCES organizations,
    number          bigint NOT NULL DEFAULT 0
);

CREATE TABLE events (
    organization_id uuid NOT NULL,
    number          bigint NOT NULL,
    at              timestamptz NOT NULL DEFAULT now(),
    kind            text NOT NULL,
    batch_id        uuid NOT NULL,
    upload_id       uuid,
    state           upload_state,
    reason          text,
    detail          text,
    PRIMARY KEY (organization_id, number)
);

CREATE INDEX events_of_upload ON events (upload_id, number) WHERE upload_id IS NOT NULL;

-- Row-level security, forced on the owner too.
DO $$
DECLARE
    tenant text;
BEGIN
    FOREACH tenant IN ARRAY ARRAY[
        'tokens', 'projects', 'batches', 'blobs', 'documents', 'uploads', 'parts',
        'versions', 'refusals', 'jobs', 'event_heads', 'events'
    ] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', tenant);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', tenant);
        EXECUTE format(
            'CREATE POLICY own_rows ON %I TO laydown_app
                 USING (organization_id = current_organization())
                 WITH CHECK (organization_id = current_organization())', tenant);
    END LOOP;
END
$$;

ALTER TABLE organizations ENABLE ROW LEVEL SECURITY;
ALTER TABLE organizations FORCE ROW LEVEL SECURITY;
CREATE POLICY own_row ON organizations FOR SELECT TO laydown_app USING (id = current_organization());

GRANT SELECT ON organizations TO laydown_app;
GRANT SELECT, INSERT, UPDATE ON
    projects, batches, blobs, documents, uploads, versions, event_heads TO laydown_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON jobs TO laydown_app;
GRANT SELECT, INSERT ON events, refusals TO laydown_app;
GRANT SELECT, INSERT, DELETE ON parts TO laydown_app;

-- What laydown_system may see and do, and nothing else.
GRANT SELECT, INSERT ON organizations, tokens TO laydown_system;
GRANT SELECT, INSERT ON event_heads TO laydown_system;
GRANT SELECT ON events, uploads, batches, blobs, parts TO laydown_system;
GRANT UPDATE (is_missing) ON blobs TO laydown_system;
GRANT SELECT, UPDATE, DELETE ON jobs TO laydown_system;
CREATE POLICY all_rows ON organizations TO laydown_system USING (true) WITH CHECK (true);
CREATE POLICY all_rows ON tokens TO laydown_system USING (true) WITH CHECK (true);
CREATE POLICY all_rows ON event_heads TO laydown_system USING (true) WITH CHECK (true);
CREATE POLICY all_rows ON jobs TO laydown_system USING (true) WITH CHECK (true);
CREATE POLICY all_rows ON blobs TO laydown_system USING (true) WITH CHECK (true);
CREATE POLICY read_rows ON events FOR SELECT TO laydown_system USING (true);
CREATE POLICY read_rows ON uploads FOR SELECT TO laydown_system USING (true);
CREATE POLICY read_rows ON batches FOR SELECT TO laydown_system USING (true);
CREATE POLICY read_rows ON parts FOR SELECT TO laydown_system USING (true);
