-- The schema as all migrations leave it, written by `python -m tests.repo.schema`: read it here,
-- change it by a new migration.

CREATE TYPE legacy_origin AS ENUM (
    'old',
    'ours'
);

CREATE TYPE on_conflict AS ENUM (
    'new_version',
    'skip',
    'reject'
);

CREATE TYPE role AS ENUM (
    'owner',
    'manager',
    'contributor',
    'uploader',
    'viewer'
);

CREATE TYPE scan_verdict AS ENUM (
    'clean',
    'infected',
    'unscannable'
);

CREATE TYPE upload_state AS ENUM (
    'declared',
    'receiving',
    'sealing',
    'checking',
    'processing',
    'ready',
    'duplicate',
    'skipped',
    'rejected',
    'cancelled',
    'expired',
    'failed'
);

CREATE FUNCTION current_organization() RETURNS uuid
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN (NULLIF(current_setting('laydown.organization'::text, true), ''::text))::uuid;

CREATE TABLE uploads (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    project_id uuid NOT NULL,
    batch_id uuid NOT NULL,
    ordinal bigint NOT NULL,
    key text NOT NULL,
    path text NOT NULL,
    path_folded text NOT NULL,
    size bigint NOT NULL,
    claimed_sha256 bytea,
    content_type text,
    modified_at timestamp with time zone,
    captured_at timestamp with time zone,
    latitude double precision,
    longitude double precision,
    state upload_state NOT NULL,
    reason text,
    detail text,
    attempt integer DEFAULT 1 NOT NULL,
    part_size bigint,
    parts integer NOT NULL,
    leader_id uuid,
    received bigint DEFAULT 0 NOT NULL,
    crc64nvme bigint,
    sha256 bytea,
    object_key text,
    version_id uuid,
    declared_at timestamp with time zone DEFAULT now() NOT NULL,
    moved_at timestamp with time zone DEFAULT now() NOT NULL,
    multipart_id text,
    CONSTRAINT never_more_than_declared CHECK (((received >= 0) AND (received <= size))),
    CONSTRAINT only_declared_wait CHECK (((leader_id IS NULL) OR (state = 'declared'::upload_state))),
    CONSTRAINT past_receiving_means_whole CHECK (((state <> ALL (ARRAY['sealing'::upload_state, 'checking'::upload_state, 'processing'::upload_state, 'ready'::upload_state])) OR ((received = size) AND (object_key IS NOT NULL)))),
    CONSTRAINT published_means_proven CHECK (((state <> ALL (ARRAY['processing'::upload_state, 'ready'::upload_state, 'duplicate'::upload_state])) OR ((sha256 IS NOT NULL) AND (version_id IS NOT NULL)))),
    CONSTRAINT refused_means_why CHECK (((state <> ALL (ARRAY['skipped'::upload_state, 'rejected'::upload_state, 'cancelled'::upload_state, 'expired'::upload_state, 'failed'::upload_state])) OR (reason IS NOT NULL))),
    CONSTRAINT single_or_multipart CHECK (((part_size IS NOT NULL) OR (parts = 1))),
    CONSTRAINT uploads_attempt_check CHECK ((attempt > 0)),
    CONSTRAINT uploads_claimed_sha256_check CHECK ((octet_length(claimed_sha256) = 32)),
    CONSTRAINT uploads_part_size_check CHECK ((part_size > 0)),
    CONSTRAINT uploads_parts_check CHECK ((parts > 0)),
    CONSTRAINT uploads_sha256_check CHECK ((octet_length(sha256) = 32))
);

ALTER TABLE ONLY uploads FORCE ROW LEVEL SECURITY;

CREATE FUNCTION lane_of_batch(batch uuid) RETURNS smallint
    LANGUAGE sql STABLE
    SET enable_bitmapscan TO 'off'
    SET enable_sort TO 'off'
    RETURN (SELECT (CASE WHEN (count(*) > 100) THEN 1 ELSE 0 END)::smallint AS int2 FROM (SELECT FROM uploads WHERE (uploads.batch_id = lane_of_batch.batch) ORDER BY uploads.ordinal LIMIT 101) few);

CREATE FUNCTION note_usage_declared() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    INSERT INTO usage_changes (organization_id, project_id, bytes, files, uploads)
    SELECT d.organization_id, d.project_id, sum(u.bytes), sum(u.files), sum(u.uploads)
      FROM declared d CROSS JOIN LATERAL usage_of(d.state, d.leader_id, d.size) u
     GROUP BY d.organization_id, d.project_id
    HAVING sum(u.files) <> 0;
    RETURN NULL;
END
$$;

CREATE FUNCTION note_usage_deleted() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    INSERT INTO usage_changes (organization_id, project_id, bytes, files, uploads)
    SELECT d.organization_id, d.project_id, -sum(u.bytes), -sum(u.files), -sum(u.uploads)
      FROM deleted d CROSS JOIN LATERAL usage_of(d.state, d.leader_id, d.size) u
     GROUP BY d.organization_id, d.project_id
    HAVING sum(u.files) <> 0;
    RETURN NULL;
END
$$;

CREATE FUNCTION note_usage_moved() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    -- The arrival of bytes must cost next to nothing. A glance tells: what was in flight with bytes
    -- of its own still is, and is as large.
    IF NOT EXISTS (SELECT FROM was w CROSS JOIN LATERAL usage_of(w.state, w.leader_id, w.size) u
                    WHERE u.uploads = 0 OR w.leader_id IS NOT NULL)
       AND NOT EXISTS (SELECT FROM became b
                        CROSS JOIN LATERAL usage_of(b.state, b.leader_id, b.size) u
                        WHERE u.uploads = 0 OR b.leader_id IS NOT NULL)
       AND (SELECT sum(size) FROM was) IS NOT DISTINCT FROM (SELECT sum(size) FROM became) THEN
        RETURN NULL;
    END IF;
    INSERT INTO usage_changes (organization_id, project_id, bytes, files, uploads)
    SELECT c.organization_id, c.project_id, sum(c.sign * u.bytes), sum(c.sign * u.files),
           sum(c.sign * u.uploads)
      FROM (SELECT organization_id, project_id, state, leader_id, size, 1 AS sign FROM became
            UNION ALL
            SELECT organization_id, project_id, state, leader_id, size, -1 FROM was) c
     CROSS JOIN LATERAL usage_of(c.state, c.leader_id, c.size) u
     GROUP BY c.organization_id, c.project_id
    HAVING sum(c.sign * u.bytes) <> 0 OR sum(c.sign * u.files) <> 0
        OR sum(c.sign * u.uploads) <> 0;
    RETURN NULL;
END
$$;

CREATE FUNCTION number_events(organization uuid, said jsonb) RETURNS void
    LANGUAGE plpgsql
    AS $$
BEGIN
    WITH head AS (
        UPDATE event_heads
           SET number = number + jsonb_array_length(said)
         WHERE organization_id = organization
        RETURNING number - jsonb_array_length(said) AS base
    )
    INSERT INTO events (
        organization_id, number, at, kind, batch_id, upload_id, state, reason, detail)
    SELECT organization, head.base + e.ordinality, clock_timestamp(), e.kind, e.batch, e.upload,
           e.state::upload_state, e.reason, e.detail
      FROM head,
           ROWS FROM (jsonb_to_recordset(said) AS (
               kind text, batch uuid, upload uuid, state text, reason text, detail text))
           WITH ORDINALITY AS e;
END
$$;

CREATE TABLE jobs (
    id uuid NOT NULL,
    organization_id uuid NOT NULL,
    kind text NOT NULL,
    upload_id uuid,
    object_key text,
    attempt integer DEFAULT 0 NOT NULL,
    run_at timestamp with time zone DEFAULT now() NOT NULL,
    leased_until timestamp with time zone,
    worker uuid,
    dead_at timestamp with time zone,
    last_error text,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    lane smallint DEFAULT 0 NOT NULL,
    sent_at timestamp with time zone,
    trace text,
    CONSTRAINT jobs_lane_check CHECK ((lane = ANY (ARRAY[0, 1]))),
    CONSTRAINT jobs_trace_check CHECK ((length(trace) = 55))
);

ALTER TABLE ONLY jobs FORCE ROW LEVEL SECURITY;

CREATE FUNCTION organizations_waiting(after uuid, most integer) RETURNS SETOF uuid
    LANGUAGE sql STABLE
    BEGIN ATOMIC
 WITH RECURSIVE ahead AS (
         ( SELECT jobs.organization_id,
             1 AS place
            FROM jobs
           WHERE ((jobs.dead_at IS NULL) AND (jobs.leased_until IS NULL) AND (jobs.organization_id > organizations_waiting.after))
           ORDER BY jobs.organization_id
          LIMIT 1)
         UNION ALL
          SELECT ( SELECT j.organization_id
                    FROM jobs j
                   WHERE ((j.dead_at IS NULL) AND (j.leased_until IS NULL) AND (j.organization_id > a.organization_id))
                   ORDER BY j.organization_id
                  LIMIT 1) AS organization_id,
             (a.place + 1)
            FROM ahead a
           WHERE ((a.organization_id IS NOT NULL) AND (a.place < organizations_waiting.most))
         ), behind AS (
         ( SELECT jobs.organization_id,
             1 AS place
            FROM jobs
           WHERE ((jobs.dead_at IS NULL) AND (jobs.leased_until IS NULL) AND (jobs.organization_id <= organizations_waiting.after))
           ORDER BY jobs.organization_id
          LIMIT 1)
         UNION ALL
          SELECT ( SELECT j.organization_id
                    FROM jobs j
                   WHERE ((j.dead_at IS NULL) AND (j.leased_until IS NULL) AND (j.organization_id > b.organization_id) AND (j.organization_id <= organizations_waiting.after))
                   ORDER BY j.organization_id
                  LIMIT 1) AS organization_id,
             (b.place + 1)
            FROM behind b
           WHERE ((b.organization_id IS NOT NULL) AND (b.place < organizations_waiting.most))
         )
  SELECT found.organization_id
    FROM ( SELECT ahead.organization_id
            FROM ahead
         UNION ALL
          SELECT behind.organization_id
            FROM behind) found
   WHERE (found.organization_id IS NOT NULL)
  LIMIT organizations_waiting.most;
END;

CREATE TABLE events (
    organization_id uuid NOT NULL,
    number bigint NOT NULL,
    at timestamp with time zone DEFAULT now() NOT NULL,
    kind text NOT NULL,
    batch_id uuid NOT NULL,
    upload_id uuid,
    state upload_state,
    reason text,
    detail text
);

ALTER TABLE ONLY events FORCE ROW LEVEL SECURITY;

CREATE FUNCTION outcomes_between(organization uuid, after bigint, upto bigint) RETURNS TABLE(minute timestamp with time zone, state upload_state, reason text, files bigint, bytes bigint)
    LANGUAGE sql STABLE
    BEGIN ATOMIC
 WITH said AS MATERIALIZED (
          SELECT e.at,
             e.kind,
             e.batch_id,
             e.upload_id,
             e.state,
             e.reason,
             e.xmin AS writer
            FROM events e
           WHERE ((e.organization_id = outcomes_between.organization) AND (e.number > outcomes_between.after) AND (e.number <= outcomes_between.upto) AND ((e.kind = 'declared'::text) OR ((e.kind = 'moved'::text) AND (e.state = ANY (ARRAY['ready'::upload_state, 'duplicate'::upload_state, 'skipped'::upload_state, 'rejected'::upload_state, 'cancelled'::upload_state, 'expired'::upload_state, 'failed'::upload_state])))))
         ), settled AS (
          SELECT s_1.at,
             s_1.state,
             s_1.reason,
             u.size
            FROM (said s_1
              CROSS JOIN LATERAL ( SELECT uploads.size
                    FROM uploads
                   WHERE ((uploads.organization_id = outcomes_between.organization) AND (uploads.id = s_1.upload_id))
                  OFFSET 0) u)
           WHERE (s_1.kind = 'moved'::text)
         UNION ALL
          SELECT s_1.at,
             u.state,
             u.reason,
             u.size
            FROM ((( SELECT DISTINCT said.batch_id
                    FROM said
                   WHERE (said.kind = 'declared'::text)) b
              CROSS JOIN LATERAL ( SELECT uploads.state,
                     uploads.reason,
                     uploads.size,
                     uploads.xmin AS writer
                    FROM uploads
                   WHERE ((uploads.organization_id = outcomes_between.organization) AND (uploads.batch_id = b.batch_id) AND (uploads.state = ANY (ARRAY['ready'::upload_state, 'duplicate'::upload_state, 'skipped'::upload_state, 'rejected'::upload_state, 'cancelled'::upload_state, 'expired'::upload_state, 'failed'::upload_state])) AND (uploads.moved_at = uploads.declared_at))
                  OFFSET 0) u)
              JOIN said s_1 ON (((s_1.kind = 'declared'::text) AND (s_1.batch_id = b.batch_id) AND (s_1.writer = u.writer))))
         )
  SELECT date_trunc('minute'::text, s.at) AS date_trunc,
     s.state,
     COALESCE(s.reason, ''::text) AS "coalesce",
     count(*) AS count,
     sum(s.size) AS sum
    FROM settled s
   GROUP BY (date_trunc('minute'::text, s.at)), s.state, COALESCE(s.reason, ''::text);
END;

CREATE TABLE links (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    project_id uuid NOT NULL,
    folder text NOT NULL,
    label text NOT NULL,
    secret_sha256 bytea NOT NULL,
    most_files bigint,
    most_bytes bigint,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    revoked_at timestamp with time zone,
    last_used_at timestamp with time zone,
    CONSTRAINT links_most_bytes_check CHECK ((most_bytes > 0)),
    CONSTRAINT links_most_files_check CHECK ((most_files > 0)),
    CONSTRAINT links_secret_sha256_check CHECK ((octet_length(secret_sha256) = 32))
);

ALTER TABLE ONLY links FORCE ROW LEVEL SECURITY;

CREATE TABLE members (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    name text NOT NULL,
    email text,
    email_folded text,
    issuer text,
    subject text,
    role role,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    removed_at timestamp with time zone,
    CONSTRAINT addresses_are_folded CHECK (((email IS NULL) = (email_folded IS NULL))),
    CONSTRAINT subjects_have_issuers CHECK (((issuer IS NULL) = (subject IS NULL)))
);

ALTER TABLE ONLY members FORCE ROW LEVEL SECURITY;

CREATE FUNCTION principal_name(principal uuid) RETURNS text
    LANGUAGE sql STABLE
    BEGIN ATOMIC
 SELECT COALESCE(( SELECT members.name
            FROM members
           WHERE ((members.id = principal_name.principal) AND (members.organization_id = current_organization()))), ( SELECT links.label
            FROM links
           WHERE ((links.id = principal_name.principal) AND (links.organization_id = current_organization())))) AS "coalesce";
END;

CREATE FUNCTION refuse_illegal_move() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    RAISE EXCEPTION 'an upload that is % cannot become %', OLD.state, NEW.state
        USING ERRCODE = 'check_violation', CONSTRAINT = 'upload_may_move';
END
$$;

CREATE FUNCTION tell_the_old_system() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM legacy_projects) THEN
        RETURN NULL;
    END IF;
    UPDATE versions v
       SET created_at = l.created_at
      FROM added a
      JOIN legacy_documents l ON l.upload_id = a.upload_id AND l.origin = 'old'
     WHERE v.id = a.id AND v.organization_id = a.organization_id;
    IF NOT EXISTS (SELECT FROM legacy_projects WHERE writes_back) THEN
        RETURN NULL;
    END IF;
    INSERT INTO legacy_documents (organization_id, old_id, project_id, upload_id, origin, filename,
                                  mime, uploaded_by, created_at)
    SELECT a.organization_id,
           nextval(pg_get_serial_sequence('documents', 'id')), u.project_id, u.id, 'ours',
           regexp_replace(u.path, '^.*/', ''), u.content_type, m.name, a.created_at
      FROM added a
      JOIN uploads u ON u.id = a.upload_id AND u.organization_id = a.organization_id
      JOIN batches t ON t.id = u.batch_id AND t.organization_id = u.organization_id
      JOIN legacy_projects p ON p.project_id = u.project_id AND p.writes_back
      LEFT JOIN members m ON m.id = t.declared_by AND m.organization_id = t.organization_id
     WHERE NOT EXISTS (SELECT FROM legacy_documents l WHERE l.upload_id = u.id)
     ORDER BY u.ordinal;
    INSERT INTO documents (id, project_id, filename, mime, size, s3_key, uploaded_by,
                                  created_at)
    SELECT l.old_id, p.old_id, l.filename, coalesce(l.mime, b.media_type), b.size,
           CASE WHEN b.object_key LIKE 'f/%'
                THEN regexp_replace(b.object_key, '^f/[^/]*/[^/]*/[^/]*/[^/]*/', '')
                ELSE p.prefix || b.object_key END,
           l.uploaded_by, l.created_at
      FROM added a
      JOIN legacy_documents l ON l.upload_id = a.upload_id AND l.origin = 'ours'
      JOIN legacy_projects p ON p.project_id = l.project_id AND p.writes_back
      JOIN blobs b ON b.id = a.blob_id AND b.organization_id = a.organization_id
     ORDER BY l.old_id;
    RETURN NULL;
END
$$;

CREATE FUNCTION upload_may_move(was upload_state, becomes upload_state) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE was WHEN 'declared'::upload_state THEN (becomes = ANY (ARRAY['receiving'::upload_state, 'checking'::upload_state, 'duplicate'::upload_state, 'skipped'::upload_state, 'rejected'::upload_state, 'cancelled'::upload_state, 'expired'::upload_state])) WHEN 'receiving'::upload_state THEN (becomes = ANY (ARRAY['declared'::upload_state, 'sealing'::upload_state, 'cancelled'::upload_state, 'expired'::upload_state])) WHEN 'sealing'::upload_state THEN (becomes = ANY (ARRAY['checking'::upload_state, 'rejected'::upload_state, 'failed'::upload_state])) WHEN 'checking'::upload_state THEN (becomes = ANY (ARRAY['processing'::upload_state, 'ready'::upload_state, 'duplicate'::upload_state, 'skipped'::upload_state, 'rejected'::upload_state, 'failed'::upload_state])) WHEN 'processing'::upload_state THEN (becomes = ANY (ARRAY['ready'::upload_state, 'failed'::upload_state])) WHEN 'rejected'::upload_state THEN (becomes = 'declared'::upload_state) WHEN 'expired'::upload_state THEN (becomes = 'declared'::upload_state) WHEN 'failed'::upload_state THEN (becomes = 'checking'::upload_state) ELSE false END;

CREATE FUNCTION usage_of(state upload_state, leader uuid, size bigint) RETURNS TABLE(bytes bigint, files integer, uploads integer)
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    BEGIN ATOMIC
 SELECT
         CASE
             WHEN ((state = ANY (ARRAY['declared'::upload_state, 'receiving'::upload_state, 'sealing'::upload_state, 'checking'::upload_state, 'processing'::upload_state, 'ready'::upload_state])) AND (leader IS NULL)) THEN size
             ELSE (0)::bigint
         END AS "case",
         CASE
             WHEN (state = ANY (ARRAY['declared'::upload_state, 'receiving'::upload_state, 'sealing'::upload_state, 'checking'::upload_state, 'processing'::upload_state, 'ready'::upload_state, 'duplicate'::upload_state])) THEN 1
             ELSE 0
         END AS "case",
         CASE
             WHEN (state = ANY (ARRAY['declared'::upload_state, 'receiving'::upload_state, 'sealing'::upload_state, 'checking'::upload_state, 'processing'::upload_state])) THEN 1
             ELSE 0
         END AS "case";
END;

CREATE TABLE audit (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    deed text NOT NULL,
    principal_id uuid NOT NULL,
    name text NOT NULL,
    token_id uuid,
    address text,
    request text,
    subject_id uuid,
    project_id uuid,
    detail jsonb DEFAULT '{}'::jsonb NOT NULL
);

ALTER TABLE ONLY audit FORCE ROW LEVEL SECURITY;

CREATE TABLE batches (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    project_id uuid NOT NULL,
    reference text NOT NULL,
    label text,
    on_conflict on_conflict NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    touched_at timestamp with time zone DEFAULT now() NOT NULL,
    closed_at timestamp with time zone,
    declared_by uuid NOT NULL,
    trace text,
    CONSTRAINT batches_trace_check CHECK ((length(trace) = 55))
);

ALTER TABLE ONLY batches FORCE ROW LEVEL SECURITY;

CREATE TABLE blobs (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    sha256 bytea NOT NULL,
    size bigint NOT NULL,
    kind text NOT NULL,
    media_type text NOT NULL,
    object_key text NOT NULL COLLATE pg_catalog."C",
    is_missing boolean DEFAULT false NOT NULL,
    proven_at timestamp with time zone DEFAULT now() NOT NULL,
    store_version text,
    scanned_by text DEFAULT 'none'::text NOT NULL,
    is_infected boolean DEFAULT false NOT NULL,
    CONSTRAINT blobs_sha256_check CHECK ((octet_length(sha256) = 32)),
    CONSTRAINT blobs_size_check CHECK ((size >= 0))
);

ALTER TABLE ONLY blobs FORCE ROW LEVEL SECURITY;

CREATE TABLE documents (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    project_id uuid NOT NULL,
    path text NOT NULL,
    path_folded text NOT NULL,
    last_number integer DEFAULT 0 NOT NULL,
    current_id uuid,
    current_order bigint,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT documents_check CHECK (((last_number = 0) = (current_id IS NULL))),
    CONSTRAINT documents_check1 CHECK (((current_id IS NULL) = (current_order IS NULL)))
);

ALTER TABLE ONLY documents FORCE ROW LEVEL SECURITY;

CREATE TABLE event_heads (
    organization_id uuid NOT NULL,
    number bigint DEFAULT 0 NOT NULL
);

ALTER TABLE ONLY event_heads FORCE ROW LEVEL SECURITY;

CREATE TABLE legacy_documents (
    organization_id uuid NOT NULL,
    old_id bigint NOT NULL,
    project_id uuid NOT NULL,
    upload_id uuid NOT NULL,
    origin legacy_origin NOT NULL,
    filename text NOT NULL,
    mime text,
    uploaded_by text,
    created_at timestamp with time zone NOT NULL
);

ALTER TABLE ONLY legacy_documents FORCE ROW LEVEL SECURITY;

CREATE TABLE legacy_keys (
    organization_id uuid NOT NULL,
    key_sha256 bytea NOT NULL,
    token_id uuid NOT NULL,
    CONSTRAINT legacy_keys_key_sha256_check CHECK ((octet_length(key_sha256) = 32))
);

ALTER TABLE ONLY legacy_keys FORCE ROW LEVEL SECURITY;

CREATE TABLE legacy_projects (
    organization_id uuid NOT NULL,
    old_id bigint NOT NULL,
    project_id uuid NOT NULL,
    writes_back boolean DEFAULT false NOT NULL,
    prefix text DEFAULT ''::text NOT NULL
);

ALTER TABLE ONLY legacy_projects FORCE ROW LEVEL SECURITY;

CREATE TABLE organizations (
    id uuid NOT NULL,
    name text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);

ALTER TABLE ONLY organizations FORCE ROW LEVEL SECURITY;

CREATE TABLE outcomes (
    organization_id uuid NOT NULL,
    minute timestamp with time zone NOT NULL,
    state upload_state NOT NULL,
    reason text NOT NULL,
    files bigint NOT NULL,
    bytes bigint NOT NULL
);

ALTER TABLE ONLY outcomes FORCE ROW LEVEL SECURITY;

CREATE TABLE parts (
    organization_id uuid NOT NULL,
    upload_id uuid NOT NULL,
    attempt integer NOT NULL,
    number integer NOT NULL,
    size bigint NOT NULL,
    crc64nvme bigint NOT NULL,
    landed_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT parts_number_check CHECK ((number > 0)),
    CONSTRAINT parts_size_check CHECK ((size > 0))
);

ALTER TABLE ONLY parts FORCE ROW LEVEL SECURITY;

CREATE TABLE project_roles (
    organization_id uuid NOT NULL,
    member_id uuid NOT NULL,
    project_id uuid NOT NULL,
    role role NOT NULL
);

ALTER TABLE ONLY project_roles FORCE ROW LEVEL SECURITY;

CREATE TABLE projects (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    code text NOT NULL,
    code_folded text NOT NULL,
    name text NOT NULL,
    time_zone text,
    latitude double precision,
    longitude double precision,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT projects_check CHECK (((latitude IS NULL) = (longitude IS NULL))),
    CONSTRAINT projects_latitude_check CHECK (((latitude >= ('-90'::integer)::double precision) AND (latitude <= (90)::double precision))),
    CONSTRAINT projects_longitude_check CHECK (((longitude >= ('-180'::integer)::double precision) AND (longitude <= (180)::double precision)))
);

ALTER TABLE ONLY projects FORCE ROW LEVEL SECURITY;

CREATE TABLE proofs (
    organization_id uuid NOT NULL,
    object_key text NOT NULL,
    sha256 bytea NOT NULL,
    size bigint NOT NULL,
    kind text NOT NULL,
    is_pointer boolean NOT NULL,
    store_version text,
    proven_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT proofs_sha256_check CHECK ((octet_length(sha256) = 32)),
    CONSTRAINT proofs_size_check CHECK ((size >= 0))
);

ALTER TABLE ONLY proofs FORCE ROW LEVEL SECURITY;

CREATE TABLE quotas (
    organization_id uuid NOT NULL,
    project_id uuid,
    most_bytes bigint,
    most_files bigint,
    most_uploads bigint,
    CONSTRAINT a_quota_limits CHECK ((num_nonnulls(most_bytes, most_files, most_uploads) > 0)),
    CONSTRAINT quotas_most_bytes_check CHECK ((most_bytes >= 0)),
    CONSTRAINT quotas_most_files_check CHECK ((most_files >= 0)),
    CONSTRAINT quotas_most_uploads_check CHECK ((most_uploads >= 0))
);

ALTER TABLE ONLY quotas FORCE ROW LEVEL SECURITY;

CREATE UNLOGGED TABLE rate_buckets (
    organization_id uuid NOT NULL,
    bucket_id uuid NOT NULL,
    full_at timestamp with time zone NOT NULL,
    drawn integer NOT NULL,
    CONSTRAINT rate_buckets_drawn_check CHECK ((drawn >= 0))
)
WITH (fillfactor='50');

ALTER TABLE ONLY rate_buckets FORCE ROW LEVEL SECURITY;

CREATE TABLE refusals (
    organization_id uuid NOT NULL,
    sha256 bytea NOT NULL,
    extension text NOT NULL,
    policy integer NOT NULL,
    reason text NOT NULL
);

ALTER TABLE ONLY refusals FORCE ROW LEVEL SECURITY;

CREATE TABLE replies (
    organization_id uuid NOT NULL,
    key_sha256 bytea NOT NULL,
    fingerprint bytea NOT NULL,
    claim uuid NOT NULL,
    sealed bytea,
    forget_at timestamp with time zone NOT NULL,
    CONSTRAINT replies_fingerprint_check CHECK ((octet_length(fingerprint) = 32)),
    CONSTRAINT replies_key_sha256_check CHECK ((octet_length(key_sha256) = 32))
);

ALTER TABLE ONLY replies FORCE ROW LEVEL SECURITY;

CREATE TABLE samples (
    organization_id uuid NOT NULL,
    minute timestamp with time zone NOT NULL,
    number bigint NOT NULL,
    waiting integer NOT NULL,
    running integer NOT NULL,
    dead integer NOT NULL,
    oldest interval NOT NULL
);

ALTER TABLE ONLY samples FORCE ROW LEVEL SECURITY;

CREATE TABLE scans (
    organization_id uuid NOT NULL,
    object_key text NOT NULL,
    scanner text NOT NULL,
    verdict scan_verdict NOT NULL,
    threat text,
    store_version text,
    scanned_at timestamp with time zone DEFAULT now() NOT NULL
);

ALTER TABLE ONLY scans FORCE ROW LEVEL SECURITY;

CREATE TABLE schema_floor (
    "least" integer NOT NULL,
    is_only boolean DEFAULT true NOT NULL,
    CONSTRAINT schema_floor_is_only_check CHECK (is_only)
);

CREATE TABLE schema_migrations (
    number integer NOT NULL,
    applied_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE sessions (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    member_id uuid NOT NULL,
    secret_sha256 bytea NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    last_used_at timestamp with time zone,
    CONSTRAINT sessions_secret_sha256_check CHECK ((octet_length(secret_sha256) = 32))
);

ALTER TABLE ONLY sessions FORCE ROW LEVEL SECURITY;

CREATE TABLE sign_ins (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    member_id uuid NOT NULL,
    secret_sha256 bytea NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    used_at timestamp with time zone,
    CONSTRAINT sign_ins_secret_sha256_check CHECK ((octet_length(secret_sha256) = 32))
);

ALTER TABLE ONLY sign_ins FORCE ROW LEVEL SECURITY;

CREATE TABLE tokens (
    id uuid NOT NULL,
    organization_id uuid NOT NULL,
    name text NOT NULL,
    secret_sha256 bytea NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    expires_at timestamp with time zone,
    revoked_at timestamp with time zone,
    member_id uuid NOT NULL,
    most role,
    only_project_id uuid,
    last_used_at timestamp with time zone,
    CONSTRAINT tokens_secret_sha256_check CHECK ((octet_length(secret_sha256) = 32))
);

ALTER TABLE ONLY tokens FORCE ROW LEVEL SECURITY;

ALTER TABLE uploads ALTER COLUMN ordinal ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME uploads_ordinal_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE usage (
    organization_id uuid NOT NULL,
    project_id uuid NOT NULL,
    bytes bigint NOT NULL,
    files bigint NOT NULL,
    uploads bigint NOT NULL
);

ALTER TABLE ONLY usage FORCE ROW LEVEL SECURITY;

CREATE TABLE usage_changes (
    organization_id uuid NOT NULL,
    id bigint NOT NULL,
    project_id uuid NOT NULL,
    bytes bigint NOT NULL,
    files bigint NOT NULL,
    uploads bigint NOT NULL
);

ALTER TABLE ONLY usage_changes FORCE ROW LEVEL SECURITY;

ALTER TABLE usage_changes ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME usage_changes_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE versions (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    document_id uuid NOT NULL,
    number integer NOT NULL,
    upload_id uuid NOT NULL,
    blob_id uuid NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT versions_number_check CHECK ((number > 0))
);

ALTER TABLE ONLY versions FORCE ROW LEVEL SECURITY;

ALTER TABLE ONLY audit
    ADD CONSTRAINT audit_pkey PRIMARY KEY (id, organization_id);

ALTER TABLE ONLY batches
    ADD CONSTRAINT batches_pkey PRIMARY KEY (organization_id, id);

ALTER TABLE ONLY blobs
    ADD CONSTRAINT blobs_object_key_key UNIQUE (object_key);

ALTER TABLE ONLY blobs
    ADD CONSTRAINT blobs_pkey PRIMARY KEY (id, organization_id);

ALTER TABLE ONLY documents
    ADD CONSTRAINT documents_pkey PRIMARY KEY (id, organization_id);

ALTER TABLE ONLY event_heads
    ADD CONSTRAINT event_heads_pkey PRIMARY KEY (organization_id);

ALTER TABLE ONLY events
    ADD CONSTRAINT events_pkey PRIMARY KEY (organization_id, number);

ALTER TABLE ONLY jobs
    ADD CONSTRAINT jobs_pkey PRIMARY KEY (id);

ALTER TABLE ONLY legacy_documents
    ADD CONSTRAINT legacy_documents_pkey PRIMARY KEY (old_id, organization_id);

ALTER TABLE ONLY legacy_keys
    ADD CONSTRAINT legacy_keys_pkey PRIMARY KEY (key_sha256, organization_id);

ALTER TABLE ONLY legacy_projects
    ADD CONSTRAINT legacy_projects_pkey PRIMARY KEY (old_id, organization_id);

ALTER TABLE ONLY links
    ADD CONSTRAINT links_pkey PRIMARY KEY (id, organization_id);

ALTER TABLE ONLY members
    ADD CONSTRAINT members_pkey PRIMARY KEY (id, organization_id);

ALTER TABLE ONLY legacy_documents
    ADD CONSTRAINT one_old_id_an_upload UNIQUE (upload_id);

ALTER TABLE ONLY legacy_projects
    ADD CONSTRAINT one_old_project UNIQUE (old_id);

ALTER TABLE ONLY projects
    ADD CONSTRAINT one_project_a_code UNIQUE (organization_id, code_folded);

ALTER TABLE ONLY legacy_projects
    ADD CONSTRAINT one_project_for_an_old_one UNIQUE (project_id);

ALTER TABLE ONLY quotas
    ADD CONSTRAINT one_quota_a_place UNIQUE NULLS NOT DISTINCT (organization_id, project_id);

ALTER TABLE ONLY legacy_keys
    ADD CONSTRAINT one_token_an_old_key UNIQUE (key_sha256);

ALTER TABLE ONLY uploads
    ADD CONSTRAINT one_upload_a_key UNIQUE (batch_id, key);

ALTER TABLE ONLY versions
    ADD CONSTRAINT one_version_a_number UNIQUE (document_id, number);

ALTER TABLE ONLY versions
    ADD CONSTRAINT one_version_an_upload UNIQUE (upload_id);

ALTER TABLE ONLY organizations
    ADD CONSTRAINT organizations_name_key UNIQUE (name);

ALTER TABLE ONLY organizations
    ADD CONSTRAINT organizations_pkey PRIMARY KEY (id);

ALTER TABLE ONLY outcomes
    ADD CONSTRAINT outcomes_pkey PRIMARY KEY (organization_id, minute, state, reason);

ALTER TABLE ONLY parts
    ADD CONSTRAINT parts_pkey PRIMARY KEY (upload_id, attempt, number, organization_id);

ALTER TABLE ONLY project_roles
    ADD CONSTRAINT project_roles_pkey PRIMARY KEY (member_id, project_id, organization_id);

ALTER TABLE ONLY projects
    ADD CONSTRAINT projects_pkey PRIMARY KEY (organization_id, id);

ALTER TABLE ONLY proofs
    ADD CONSTRAINT proofs_pkey PRIMARY KEY (object_key, organization_id);

ALTER TABLE ONLY rate_buckets
    ADD CONSTRAINT rate_buckets_pkey PRIMARY KEY (bucket_id, organization_id);

ALTER TABLE ONLY refusals
    ADD CONSTRAINT refusals_pkey PRIMARY KEY (sha256, extension, policy, organization_id);

ALTER TABLE ONLY replies
    ADD CONSTRAINT replies_pkey PRIMARY KEY (key_sha256, organization_id);

ALTER TABLE ONLY samples
    ADD CONSTRAINT samples_pkey PRIMARY KEY (organization_id, minute);

ALTER TABLE ONLY scans
    ADD CONSTRAINT scans_pkey PRIMARY KEY (object_key, organization_id);

ALTER TABLE ONLY schema_floor
    ADD CONSTRAINT schema_floor_pkey PRIMARY KEY (is_only);

ALTER TABLE ONLY schema_migrations
    ADD CONSTRAINT schema_migrations_pkey PRIMARY KEY (number);

ALTER TABLE ONLY sessions
    ADD CONSTRAINT sessions_pkey PRIMARY KEY (id, organization_id);

ALTER TABLE ONLY sign_ins
    ADD CONSTRAINT sign_ins_pkey PRIMARY KEY (id, organization_id);

ALTER TABLE ONLY tokens
    ADD CONSTRAINT tokens_pkey PRIMARY KEY (id);

ALTER TABLE ONLY uploads
    ADD CONSTRAINT uploads_pkey PRIMARY KEY (id, organization_id);

ALTER TABLE ONLY usage_changes
    ADD CONSTRAINT usage_changes_pkey PRIMARY KEY (organization_id, id);

ALTER TABLE ONLY usage
    ADD CONSTRAINT usage_pkey PRIMARY KEY (organization_id, project_id);

ALTER TABLE ONLY versions
    ADD CONSTRAINT versions_pkey PRIMARY KEY (id, organization_id);

CREATE INDEX audit_of_organization ON audit USING btree (organization_id, id);

CREATE INDEX audit_of_subject ON audit USING btree (subject_id, id) WHERE (subject_id IS NOT NULL);

CREATE INDEX batches_idle ON batches USING btree (touched_at) WHERE (closed_at IS NULL);

CREATE INDEX batches_of_principal ON batches USING btree (declared_by, id);

CREATE INDEX batches_open ON batches USING btree (organization_id) WHERE (closed_at IS NULL);

CREATE INDEX events_of_upload ON events USING btree (upload_id, number) WHERE (upload_id IS NOT NULL);

CREATE INDEX jobs_announced ON jobs USING btree (organization_id) WHERE ((dead_at IS NULL) AND (sent_at IS NOT NULL));

CREATE INDEX jobs_dead ON jobs USING btree (organization_id, id) WHERE (dead_at IS NOT NULL);

CREATE INDEX jobs_held ON jobs USING btree (organization_id) WHERE ((dead_at IS NULL) AND (leased_until IS NOT NULL));

CREATE INDEX jobs_leased ON jobs USING btree (leased_until) WHERE ((dead_at IS NULL) AND (leased_until IS NOT NULL));

CREATE INDEX jobs_of_object ON jobs USING btree (object_key) WHERE (object_key IS NOT NULL);

CREATE INDEX jobs_unheard ON jobs USING btree (sent_at) WHERE ((dead_at IS NULL) AND (leased_until IS NULL) AND (sent_at IS NOT NULL));

CREATE INDEX jobs_waiting ON jobs USING btree (organization_id, lane, run_at) WHERE ((dead_at IS NULL) AND (leased_until IS NULL));

CREATE INDEX links_of_project ON links USING btree (project_id, id);

CREATE INDEX members_of_organization ON members USING btree (organization_id, id) WHERE (removed_at IS NULL);

CREATE UNIQUE INDEX one_blob_a_digest ON blobs USING btree (sha256, organization_id) WHERE ((NOT is_missing) AND (NOT is_infected));

CREATE UNIQUE INDEX one_document_a_path ON documents USING btree (project_id, path_folded COLLATE "C");

CREATE UNIQUE INDEX one_member_a_subject ON members USING btree (subject, issuer, organization_id) WHERE (removed_at IS NULL);

CREATE UNIQUE INDEX one_member_an_email ON members USING btree (email_folded, organization_id) WHERE (removed_at IS NULL);

CREATE UNIQUE INDEX one_open_batch_a_reference ON batches USING btree (project_id, declared_by, reference) WHERE (closed_at IS NULL);

CREATE INDEX outcomes_old ON outcomes USING btree (minute);

CREATE INDEX replies_old ON replies USING btree (forget_at);

CREATE INDEX roles_of_project ON project_roles USING btree (project_id, member_id);

CREATE INDEX samples_old ON samples USING btree (minute);

CREATE INDEX tokens_of_member ON tokens USING btree (member_id, id);

CREATE INDEX uploads_by_digest ON uploads USING btree (batch_id, claimed_sha256) WHERE (state = ANY (ARRAY['declared'::upload_state, 'receiving'::upload_state, 'sealing'::upload_state, 'checking'::upload_state]));

CREATE INDEX uploads_by_path ON uploads USING btree (batch_id, path_folded COLLATE "C");

CREATE INDEX uploads_counted ON uploads USING btree (batch_id, state, reason) INCLUDE (size, received, moved_at);

CREATE INDEX uploads_of_batch ON uploads USING btree (batch_id, ordinal);

CREATE INDEX uploads_quiet ON uploads USING btree (moved_at) WHERE (state = ANY (ARRAY['declared'::upload_state, 'receiving'::upload_state]));

CREATE INDEX uploads_unreported ON uploads USING btree (id) WHERE (state = 'receiving'::upload_state);

CREATE INDEX uploads_waiting ON uploads USING btree (leader_id) WHERE (leader_id IS NOT NULL);

CREATE INDEX uploads_with_us ON uploads USING btree (organization_id, moved_at) WHERE (state = ANY (ARRAY['sealing'::upload_state, 'checking'::upload_state, 'processing'::upload_state]));

CREATE INDEX versions_of_blob ON versions USING btree (blob_id);

CREATE TRIGGER uploads_declared AFTER INSERT ON uploads REFERENCING NEW TABLE AS declared FOR EACH STATEMENT EXECUTE FUNCTION note_usage_declared();

CREATE TRIGGER uploads_deleted AFTER DELETE ON uploads REFERENCING OLD TABLE AS deleted FOR EACH STATEMENT EXECUTE FUNCTION note_usage_deleted();

CREATE TRIGGER uploads_move BEFORE UPDATE OF state ON uploads FOR EACH ROW WHEN (((old.state <> new.state) AND (NOT upload_may_move(old.state, new.state)))) EXECUTE FUNCTION refuse_illegal_move();

CREATE TRIGGER uploads_moved AFTER UPDATE ON uploads REFERENCING OLD TABLE AS was NEW TABLE AS became FOR EACH STATEMENT EXECUTE FUNCTION note_usage_moved();

CREATE TRIGGER versions_added AFTER INSERT ON versions REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION tell_the_old_system();

ALTER TABLE ONLY audit
    ADD CONSTRAINT audit_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organizations(id);

ALTER TABLE ONLY batches
    ADD CONSTRAINT batches_organization_id_project_id_fkey FOREIGN KEY (organization_id, project_id) REFERENCES projects(organization_id, id);

ALTER TABLE ONLY blobs
    ADD CONSTRAINT blobs_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organizations(id);

ALTER TABLE ONLY documents
    ADD CONSTRAINT documents_organization_id_project_id_fkey FOREIGN KEY (organization_id, project_id) REFERENCES projects(organization_id, id);

ALTER TABLE ONLY event_heads
    ADD CONSTRAINT event_heads_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organizations(id);

ALTER TABLE ONLY legacy_documents
    ADD CONSTRAINT legacy_documents_organization_id_project_id_fkey FOREIGN KEY (organization_id, project_id) REFERENCES projects(organization_id, id);

ALTER TABLE ONLY legacy_keys
    ADD CONSTRAINT legacy_keys_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organizations(id);

ALTER TABLE ONLY legacy_keys
    ADD CONSTRAINT legacy_keys_token_id_fkey FOREIGN KEY (token_id) REFERENCES tokens(id);

ALTER TABLE ONLY legacy_projects
    ADD CONSTRAINT legacy_projects_organization_id_project_id_fkey FOREIGN KEY (organization_id, project_id) REFERENCES projects(organization_id, id);

ALTER TABLE ONLY links
    ADD CONSTRAINT links_organization_id_project_id_fkey FOREIGN KEY (organization_id, project_id) REFERENCES projects(organization_id, id);

ALTER TABLE ONLY members
    ADD CONSTRAINT members_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organizations(id);

ALTER TABLE ONLY outcomes
    ADD CONSTRAINT outcomes_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organizations(id);

ALTER TABLE ONLY parts
    ADD CONSTRAINT parts_upload_id_organization_id_fkey FOREIGN KEY (upload_id, organization_id) REFERENCES uploads(id, organization_id);

ALTER TABLE ONLY project_roles
    ADD CONSTRAINT project_roles_member_id_organization_id_fkey FOREIGN KEY (member_id, organization_id) REFERENCES members(id, organization_id);

ALTER TABLE ONLY project_roles
    ADD CONSTRAINT project_roles_organization_id_project_id_fkey FOREIGN KEY (organization_id, project_id) REFERENCES projects(organization_id, id);

ALTER TABLE ONLY projects
    ADD CONSTRAINT projects_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organizations(id);

ALTER TABLE ONLY proofs
    ADD CONSTRAINT proofs_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organizations(id);

ALTER TABLE ONLY quotas
    ADD CONSTRAINT quotas_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organizations(id);

ALTER TABLE ONLY quotas
    ADD CONSTRAINT quotas_organization_id_project_id_fkey FOREIGN KEY (organization_id, project_id) REFERENCES projects(organization_id, id);

ALTER TABLE ONLY rate_buckets
    ADD CONSTRAINT rate_buckets_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organizations(id);

ALTER TABLE ONLY refusals
    ADD CONSTRAINT refusals_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organizations(id);

ALTER TABLE ONLY replies
    ADD CONSTRAINT replies_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organizations(id);

ALTER TABLE ONLY samples
    ADD CONSTRAINT samples_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organizations(id);

ALTER TABLE ONLY scans
    ADD CONSTRAINT scans_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organizations(id);

ALTER TABLE ONLY sessions
    ADD CONSTRAINT sessions_member_id_organization_id_fkey FOREIGN KEY (member_id, organization_id) REFERENCES members(id, organization_id);

ALTER TABLE ONLY sign_ins
    ADD CONSTRAINT sign_ins_member_id_organization_id_fkey FOREIGN KEY (member_id, organization_id) REFERENCES members(id, organization_id);

ALTER TABLE ONLY tokens
    ADD CONSTRAINT tokens_member_id_organization_id_fkey FOREIGN KEY (member_id, organization_id) REFERENCES members(id, organization_id);

ALTER TABLE ONLY tokens
    ADD CONSTRAINT tokens_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organizations(id);

ALTER TABLE ONLY tokens
    ADD CONSTRAINT tokens_organization_id_only_project_id_fkey FOREIGN KEY (organization_id, only_project_id) REFERENCES projects(organization_id, id);

ALTER TABLE ONLY uploads
    ADD CONSTRAINT uploads_leader_id_organization_id_fkey FOREIGN KEY (leader_id, organization_id) REFERENCES uploads(id, organization_id);

ALTER TABLE ONLY uploads
    ADD CONSTRAINT uploads_organization_id_batch_id_fkey FOREIGN KEY (organization_id, batch_id) REFERENCES batches(organization_id, id);

ALTER TABLE ONLY usage
    ADD CONSTRAINT usage_organization_id_project_id_fkey FOREIGN KEY (organization_id, project_id) REFERENCES projects(organization_id, id);

ALTER TABLE ONLY versions
    ADD CONSTRAINT versions_blob_id_organization_id_fkey FOREIGN KEY (blob_id, organization_id) REFERENCES blobs(id, organization_id);

ALTER TABLE ONLY versions
    ADD CONSTRAINT versions_document_id_organization_id_fkey FOREIGN KEY (document_id, organization_id) REFERENCES documents(id, organization_id);

ALTER TABLE ONLY versions
    ADD CONSTRAINT versions_upload_id_organization_id_fkey FOREIGN KEY (upload_id, organization_id) REFERENCES uploads(id, organization_id);

CREATE POLICY all_rows ON blobs TO laydown_system USING (true) WITH CHECK (true);

CREATE POLICY all_rows ON event_heads TO laydown_system USING (true) WITH CHECK (true);

CREATE POLICY all_rows ON jobs TO laydown_system USING (true) WITH CHECK (true);

CREATE POLICY all_rows ON links TO laydown_system USING (true) WITH CHECK (true);

CREATE POLICY all_rows ON members TO laydown_system USING (true) WITH CHECK (true);

CREATE POLICY all_rows ON organizations TO laydown_system USING (true) WITH CHECK (true);

CREATE POLICY all_rows ON outcomes TO laydown_system USING (true) WITH CHECK (true);

CREATE POLICY all_rows ON rate_buckets TO laydown_system USING (true) WITH CHECK (true);

CREATE POLICY all_rows ON replies TO laydown_system USING (true) WITH CHECK (true);

CREATE POLICY all_rows ON samples TO laydown_system USING (true) WITH CHECK (true);

CREATE POLICY all_rows ON sessions TO laydown_system USING (true) WITH CHECK (true);

CREATE POLICY all_rows ON sign_ins TO laydown_system USING (true) WITH CHECK (true);

CREATE POLICY all_rows ON tokens TO laydown_system USING (true) WITH CHECK (true);

CREATE POLICY all_rows ON usage TO laydown_system USING (true) WITH CHECK (true);

CREATE POLICY all_rows ON usage_changes TO laydown_system USING (true) WITH CHECK (true);

ALTER TABLE audit ENABLE ROW LEVEL SECURITY;

ALTER TABLE batches ENABLE ROW LEVEL SECURITY;

ALTER TABLE blobs ENABLE ROW LEVEL SECURITY;

ALTER TABLE documents ENABLE ROW LEVEL SECURITY;

ALTER TABLE event_heads ENABLE ROW LEVEL SECURITY;

ALTER TABLE events ENABLE ROW LEVEL SECURITY;

ALTER TABLE jobs ENABLE ROW LEVEL SECURITY;

ALTER TABLE legacy_documents ENABLE ROW LEVEL SECURITY;

ALTER TABLE legacy_keys ENABLE ROW LEVEL SECURITY;

ALTER TABLE legacy_projects ENABLE ROW LEVEL SECURITY;

ALTER TABLE links ENABLE ROW LEVEL SECURITY;

ALTER TABLE members ENABLE ROW LEVEL SECURITY;

CREATE POLICY only_imported ON blobs AS RESTRICTIVE FOR DELETE TO laydown_app USING ((object_key ~~ 'f/%'::text));

CREATE POLICY only_imported ON documents AS RESTRICTIVE FOR DELETE TO laydown_app USING ((NOT (EXISTS ( SELECT
   FROM versions v
  WHERE ((v.document_id = documents.id) AND (v.organization_id = documents.organization_id))))));

CREATE POLICY only_imported ON legacy_documents AS RESTRICTIVE FOR DELETE TO laydown_app USING ((origin = 'old'::legacy_origin));

CREATE POLICY only_imported ON uploads AS RESTRICTIVE FOR DELETE TO laydown_app USING ((object_key ~~ 'f/%'::text));

CREATE POLICY only_imported ON versions AS RESTRICTIVE FOR DELETE TO laydown_app USING ((EXISTS ( SELECT
   FROM uploads u
  WHERE ((u.id = versions.upload_id) AND (u.organization_id = versions.organization_id) AND (u.object_key ~~ 'f/%'::text)))));

ALTER TABLE organizations ENABLE ROW LEVEL SECURITY;

ALTER TABLE outcomes ENABLE ROW LEVEL SECURITY;

CREATE POLICY own_row ON organizations FOR SELECT TO laydown_app USING ((id = current_organization()));

CREATE POLICY own_rows ON audit TO laydown_app USING ((organization_id = current_organization())) WITH CHECK ((organization_id = current_organization()));

CREATE POLICY own_rows ON batches TO laydown_app USING ((organization_id = current_organization())) WITH CHECK ((organization_id = current_organization()));

CREATE POLICY own_rows ON blobs TO laydown_app USING ((organization_id = current_organization())) WITH CHECK ((organization_id = current_organization()));

CREATE POLICY own_rows ON documents TO laydown_app USING ((organization_id = current_organization())) WITH CHECK ((organization_id = current_organization()));

CREATE POLICY own_rows ON event_heads TO laydown_app USING ((organization_id = current_organization())) WITH CHECK ((organization_id = current_organization()));

CREATE POLICY own_rows ON events TO laydown_app USING ((organization_id = current_organization())) WITH CHECK ((organization_id = current_organization()));

CREATE POLICY own_rows ON jobs TO laydown_app USING ((organization_id = current_organization())) WITH CHECK ((organization_id = current_organization()));

CREATE POLICY own_rows ON legacy_documents TO laydown_app USING ((organization_id = current_organization())) WITH CHECK ((organization_id = current_organization()));

CREATE POLICY own_rows ON legacy_keys TO laydown_app USING ((organization_id = current_organization())) WITH CHECK ((organization_id = current_organization()));

CREATE POLICY own_rows ON legacy_projects TO laydown_app USING ((organization_id = current_organization())) WITH CHECK ((organization_id = current_organization()));

CREATE POLICY own_rows ON links TO laydown_app USING ((organization_id = current_organization())) WITH CHECK ((organization_id = current_organization()));

CREATE POLICY own_rows ON members TO laydown_app USING ((organization_id = current_organization())) WITH CHECK ((organization_id = current_organization()));

CREATE POLICY own_rows ON outcomes TO laydown_app USING ((organization_id = current_organization())) WITH CHECK ((organization_id = current_organization()));

CREATE POLICY own_rows ON parts TO laydown_app USING ((organization_id = current_organization())) WITH CHECK ((organization_id = current_organization()));

CREATE POLICY own_rows ON project_roles TO laydown_app USING ((organization_id = current_organization())) WITH CHECK ((organization_id = current_organization()));

CREATE POLICY own_rows ON projects TO laydown_app USING ((organization_id = current_organization())) WITH CHECK ((organization_id = current_organization()));

CREATE POLICY own_rows ON proofs TO laydown_app USING ((organization_id = current_organization())) WITH CHECK ((organization_id = current_organization()));

CREATE POLICY own_rows ON quotas TO laydown_app USING ((organization_id = current_organization())) WITH CHECK ((organization_id = current_organization()));

CREATE POLICY own_rows ON refusals TO laydown_app USING ((organization_id = current_organization())) WITH CHECK ((organization_id = current_organization()));

CREATE POLICY own_rows ON replies TO laydown_app USING ((organization_id = current_organization())) WITH CHECK ((organization_id = current_organization()));

CREATE POLICY own_rows ON samples TO laydown_app USING ((organization_id = current_organization())) WITH CHECK ((organization_id = current_organization()));

CREATE POLICY own_rows ON scans TO laydown_app USING ((organization_id = current_organization())) WITH CHECK ((organization_id = current_organization()));

CREATE POLICY own_rows ON sessions TO laydown_app USING ((organization_id = current_organization())) WITH CHECK ((organization_id = current_organization()));

CREATE POLICY own_rows ON sign_ins TO laydown_app USING ((organization_id = current_organization())) WITH CHECK ((organization_id = current_organization()));

CREATE POLICY own_rows ON tokens TO laydown_app USING ((organization_id = current_organization())) WITH CHECK ((organization_id = current_organization()));

CREATE POLICY own_rows ON uploads TO laydown_app USING ((organization_id = current_organization())) WITH CHECK ((organization_id = current_organization()));

CREATE POLICY own_rows ON usage TO laydown_app USING ((organization_id = current_organization())) WITH CHECK ((organization_id = current_organization()));

CREATE POLICY own_rows ON usage_changes TO laydown_app USING ((organization_id = current_organization())) WITH CHECK ((organization_id = current_organization()));

CREATE POLICY own_rows ON versions TO laydown_app USING ((organization_id = current_organization())) WITH CHECK ((organization_id = current_organization()));

ALTER TABLE parts ENABLE ROW LEVEL SECURITY;

ALTER TABLE project_roles ENABLE ROW LEVEL SECURITY;

ALTER TABLE projects ENABLE ROW LEVEL SECURITY;

ALTER TABLE proofs ENABLE ROW LEVEL SECURITY;

ALTER TABLE quotas ENABLE ROW LEVEL SECURITY;

ALTER TABLE rate_buckets ENABLE ROW LEVEL SECURITY;

CREATE POLICY read_rows ON batches FOR SELECT TO laydown_system USING (true);

CREATE POLICY read_rows ON events FOR SELECT TO laydown_system USING (true);

CREATE POLICY read_rows ON legacy_documents FOR SELECT TO laydown_system USING (true);

CREATE POLICY read_rows ON legacy_keys FOR SELECT TO laydown_system USING (true);

CREATE POLICY read_rows ON legacy_projects FOR SELECT TO laydown_system USING (true);

CREATE POLICY read_rows ON parts FOR SELECT TO laydown_system USING (true);

CREATE POLICY read_rows ON project_roles FOR SELECT TO laydown_system USING (true);

CREATE POLICY read_rows ON proofs FOR SELECT TO laydown_system USING (true);

CREATE POLICY read_rows ON uploads FOR SELECT TO laydown_system USING (true);

ALTER TABLE refusals ENABLE ROW LEVEL SECURITY;

ALTER TABLE replies ENABLE ROW LEVEL SECURITY;

ALTER TABLE samples ENABLE ROW LEVEL SECURITY;

ALTER TABLE scans ENABLE ROW LEVEL SECURITY;

ALTER TABLE sessions ENABLE ROW LEVEL SECURITY;

ALTER TABLE sign_ins ENABLE ROW LEVEL SECURITY;

ALTER TABLE tokens ENABLE ROW LEVEL SECURITY;

ALTER TABLE uploads ENABLE ROW LEVEL SECURITY;

ALTER TABLE usage ENABLE ROW LEVEL SECURITY;

ALTER TABLE usage_changes ENABLE ROW LEVEL SECURITY;

ALTER TABLE versions ENABLE ROW LEVEL SECURITY;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE uploads TO laydown_app;
GRANT SELECT ON TABLE uploads TO laydown_system;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE jobs TO laydown_app;
GRANT SELECT,DELETE,UPDATE ON TABLE jobs TO laydown_system;

GRANT SELECT,INSERT ON TABLE events TO laydown_app;
GRANT SELECT ON TABLE events TO laydown_system;

GRANT SELECT,INSERT,UPDATE ON TABLE links TO laydown_app;
GRANT SELECT ON TABLE links TO laydown_system;

GRANT UPDATE(last_used_at) ON TABLE links TO laydown_system;

GRANT SELECT,INSERT,UPDATE ON TABLE members TO laydown_app;
GRANT SELECT,INSERT ON TABLE members TO laydown_system;

GRANT UPDATE(issuer) ON TABLE members TO laydown_system;

GRANT UPDATE(subject) ON TABLE members TO laydown_system;

GRANT SELECT,INSERT ON TABLE audit TO laydown_app;

GRANT SELECT,INSERT,UPDATE ON TABLE batches TO laydown_app;
GRANT SELECT ON TABLE batches TO laydown_system;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE blobs TO laydown_app;
GRANT SELECT ON TABLE blobs TO laydown_system;

GRANT UPDATE(is_missing) ON TABLE blobs TO laydown_system;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE documents TO laydown_app;

GRANT SELECT,INSERT,UPDATE ON TABLE event_heads TO laydown_app;
GRANT SELECT,INSERT ON TABLE event_heads TO laydown_system;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE legacy_documents TO laydown_app;
GRANT SELECT ON TABLE legacy_documents TO laydown_system;

GRANT SELECT,INSERT,UPDATE ON TABLE legacy_keys TO laydown_app;
GRANT SELECT ON TABLE legacy_keys TO laydown_system;

GRANT SELECT,INSERT,UPDATE ON TABLE legacy_projects TO laydown_app;
GRANT SELECT ON TABLE legacy_projects TO laydown_system;

GRANT SELECT ON TABLE organizations TO laydown_app;
GRANT SELECT,INSERT ON TABLE organizations TO laydown_system;

GRANT SELECT ON TABLE outcomes TO laydown_app;
GRANT SELECT,INSERT,DELETE ON TABLE outcomes TO laydown_system;

GRANT UPDATE(files) ON TABLE outcomes TO laydown_system;

GRANT UPDATE(bytes) ON TABLE outcomes TO laydown_system;

GRANT SELECT,INSERT,DELETE ON TABLE parts TO laydown_app;
GRANT SELECT ON TABLE parts TO laydown_system;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE project_roles TO laydown_app;
GRANT SELECT ON TABLE project_roles TO laydown_system;

GRANT SELECT,INSERT,UPDATE ON TABLE projects TO laydown_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE proofs TO laydown_app;
GRANT SELECT ON TABLE proofs TO laydown_system;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE quotas TO laydown_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE rate_buckets TO laydown_system;

GRANT SELECT,INSERT ON TABLE refusals TO laydown_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE replies TO laydown_app;
GRANT DELETE ON TABLE replies TO laydown_system;

GRANT SELECT(organization_id) ON TABLE replies TO laydown_system;

GRANT SELECT(key_sha256) ON TABLE replies TO laydown_system;

GRANT SELECT(forget_at) ON TABLE replies TO laydown_system;

GRANT SELECT ON TABLE samples TO laydown_app;
GRANT SELECT,INSERT,DELETE ON TABLE samples TO laydown_system;

GRANT UPDATE(number) ON TABLE samples TO laydown_system;

GRANT UPDATE(waiting) ON TABLE samples TO laydown_system;

GRANT UPDATE(running) ON TABLE samples TO laydown_system;

GRANT UPDATE(dead) ON TABLE samples TO laydown_system;

GRANT UPDATE(oldest) ON TABLE samples TO laydown_system;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE scans TO laydown_app;

GRANT SELECT ON TABLE schema_floor TO laydown_system;

GRANT SELECT ON TABLE schema_migrations TO laydown_system;

GRANT SELECT,INSERT,UPDATE ON TABLE sessions TO laydown_app;
GRANT SELECT ON TABLE sessions TO laydown_system;

GRANT UPDATE(last_used_at) ON TABLE sessions TO laydown_system;

GRANT SELECT,INSERT,UPDATE ON TABLE sign_ins TO laydown_app;
GRANT SELECT,INSERT ON TABLE sign_ins TO laydown_system;

GRANT SELECT,INSERT ON TABLE tokens TO laydown_system;
GRANT SELECT,INSERT,UPDATE ON TABLE tokens TO laydown_app;

GRANT UPDATE(last_used_at) ON TABLE tokens TO laydown_system;

GRANT SELECT ON TABLE usage TO laydown_app;
GRANT SELECT,INSERT ON TABLE usage TO laydown_system;

GRANT UPDATE(bytes) ON TABLE usage TO laydown_system;

GRANT UPDATE(files) ON TABLE usage TO laydown_system;

GRANT UPDATE(uploads) ON TABLE usage TO laydown_system;

GRANT SELECT,INSERT ON TABLE usage_changes TO laydown_app;
GRANT SELECT,DELETE ON TABLE usage_changes TO laydown_system;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE versions TO laydown_app;
