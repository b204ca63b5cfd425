-- Leaving another system: which of its projects, documents and keys are which of ours. Its own table is
-- `public.documents`, beside us in the same database; nothing here needs it to be there.

CREATE TYPE legacy_origin AS ENUM ('old', 'ours');

-- With `writes_back`, whatever becomes a version in this project gets a row in the old table, in the
-- same transaction, so that the old system's readers see it. `prefix` is what stands before our keys in
-- the bucket that both use.
CREATE TABLE legacy_projects (
    organization_id uuid NOT NULL,
    old_id          bigint NOT NULL,
    project_id      uuid NOT NULL,
    writes_back     boolean NOT NULL DEFAULT false,
    prefix          text NOT NULL DEFAULT '',
    PRIMARY KEY (old_id, organization_id),
    FOREIGN KEY (organization_id, project_id) REFERENCES projects,
    CONSTRAINT one_old_project UNIQUE (old_id),
    CONSTRAINT one_project_for_an_old_one UNIQUE (project_id)
);

-- A document by its old id. Those of the old system were read where they are; ours were written back. One
-- of ours has its id before it has an upload, let alone a version: the old API tells it at once.
CREATE TABLE legacy_documents (
    organization_id uuid NOT NULL,
    old_id          bigint NOT NULL,
    project_id      uuid NOT NULL,
    upload_id       uuid NOT NULL,
    origin          legacy_origin NOT NULL,
    filename        text NOT NULL,
    mime            text,
    uploaded_by     text,
    created_at      timestamptz NOT NULL,
    PRIMARY KEY (old_id, organization_id),
    FOREIGN KEY (organization_id, project_id) REFERENCES projects,
    CONSTRAINT one_old_id_an_upload UNIQUE (upload_id)
);

-- What the old API's clients show, as one of our tokens: that says who they are and what they may do.
CREATE TABLE legacy_keys (
    organization_id uuid NOT NULL REFERENCES organizations,
    key_sha256      bytea NOT NULL CHECK (octet_length(key_sha256) = 32),
    token_id        uuid NOT NULL REFERENCES tokens,
    PRIMARY KEY (key_sha256, organization_id),
    CONSTRAINT one_token_an_old_key UNIQUE (key_sha256)
);

DO $$
DECLARE
    tenant text;
BEGIN
    FOREACH tenant IN ARRAY ARRAY['legacy_projects', 'legacy_documents', 'legacy_keys'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', tenant);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', tenant);
        EXECUTE format(
            'CREATE POLICY own_rows ON %I TO laydown_app
                 USING (organization_id = current_organization())
                 WITH CHECK (organization_id = current_organization())', tenant);
        EXECUTE format(
            'CREATE POLICY read_rows ON %I FOR SELECT TO laydown_system USING (true)', tenant);
    END LOOP;
END
$$;

GRANT SELECT, INSERT, UPDATE ON legacy_projects, legacy_keys TO laydown_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON legacy_documents TO laydown_app;
GRANT SELECT ON legacy_projects, legacy_documents, legacy_keys TO laydown_system;

-- A version in a mapped project: what was read in place keeps the time it had, and all else is written to
-- the old table. A trigger, so that no way to a version can forget it; its name in the bucket is the blob's,
-- or that of the object in the old bucket where the same bytes were already.
CREATE FUNCTION tell_the_old_system() RETURNS trigger
LANGUAGE plpgsql AS $$
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
           nextval(pg_get_serial_sequence('public.documents', 'id')), u.project_id, u.id, 'ours',
           regexp_replace(u.path, '^.*/', ''), u.content_type, m.name, a.created_at
      FROM added a
      JOIN uploads u ON u.id = a.upload_id AND u.organization_id = a.organization_id
      JOIN batches t ON t.id = u.batch_id AND t.organization_id = u.organization_id
      JOIN legacy_projects p ON p.project_id = u.project_id AND p.writes_back
      LEFT JOIN members m ON m.id = t.declared_by AND m.organization_id = t.organization_id
     WHERE NOT EXISTS (SELECT FROM legacy_documents l WHERE l.upload_id = u.id)
     ORDER BY u.ordinal;
    INSERT INTO public.documents (id, project_id, filename, mime, size, s3_key, uploaded_by,
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

CREATE TRIGGER versions_added
    AFTER INSERT ON versions REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION tell_the_old_system();

-- Rolling an import back deletes what it wrote, and the policies let nothing else be deleted: uploads
-- and blobs whose bytes are in another's bucket, the versions of such uploads, documents without any.
GRANT DELETE ON uploads, versions, documents, blobs TO laydown_app;
CREATE POLICY only_imported ON uploads AS RESTRICTIVE FOR DELETE TO laydown_app
    USING (object_key LIKE 'f/%');
CREATE POLICY only_imported ON blobs AS RESTRICTIVE FOR DELETE TO laydown_app
    USING (object_key LIKE 'f/%');
CREATE POLICY only_imported ON versions AS RESTRICTIVE FOR DELETE TO laydown_app
    USING (EXISTS (SELECT FROM uploads u
                    WHERE u.id = upload_id AND u.organization_id = versions.organization_id
                      AND u.object_key LIKE 'f/%'));
CREATE POLICY only_imported ON documents AS RESTRICTIVE FOR DELETE TO laydown_app
    USING (NOT EXISTS (SELECT FROM versions v
                        WHERE v.document_id = documents.id
                          AND v.organization_id = documents.organization_id));
CREATE POLICY only_imported ON legacy_documents AS RESTRICTIVE FOR DELETE TO laydown_app
    USING (origin = 'old');

-- What is deleted is used no more.
CREATE FUNCTION note_usage_deleted() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO usage_changes (organization_id, project_id, bytes, files, uploads)
    SELECT d.organization_id, d.project_id, -sum(u.bytes), -sum(u.files), -sum(u.uploads)
      FROM deleted d CROSS JOIN LATERAL usage_of(d.state, d.leader_id, d.size) u
     GROUP BY d.organization_id, d.project_id
    HAVING sum(u.files) <> 0;
    RETURN NULL;
END
$$;

CREATE TRIGGER uploads_deleted
    AFTER DELETE ON uploads REFERENCING OLD TABLE AS deleted
    FOR EACH STATEMENT EXECUTE FUNCTION note_usage_deleted();
