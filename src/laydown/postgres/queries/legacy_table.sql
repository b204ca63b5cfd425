-- What is asked of the old table across organizations, and how it is opened to us.

-- name: columns_of_old_table
SELECT column_name::text AS name
  FROM information_schema.columns
 WHERE table_schema = 'public' AND table_name = 'documents';

-- name: make_schema
-- The first schema of the search path is ours; the old system's is `public`.
DO $$
BEGIN
    IF current_schema() IS NULL THEN
        EXECUTE 'CREATE SCHEMA ' || quote_ident(
            btrim(split_part(current_setting('search_path'), ',', 1), ' "'));
    END IF;
END
$$;

-- name: where_we_are
SELECT current_schema()::text AS name;

-- name: open_old_table
-- Our two roles may read the old table, and one may add to it; neither may change or delete.
DO $$
BEGIN
    EXECUTE 'GRANT USAGE ON SCHEMA ' || quote_ident(current_schema())
         || ' TO laydown_app, laydown_system';
    GRANT USAGE ON SCHEMA public TO laydown_app, laydown_system;
    GRANT SELECT, INSERT ON public.documents TO laydown_app;
    GRANT SELECT ON public.documents TO laydown_system;
    EXECUTE 'GRANT USAGE ON SEQUENCE ' || pg_get_serial_sequence('public.documents', 'id')
         || ' TO laydown_app, laydown_system';
END
$$;

-- name: take_time
SET statement_timeout = 0;

-- name: take_no_more_time
RESET statement_timeout;

-- name: old_rows_by_key
SELECT id, project_id, filename, mime, size, s3_key, uploaded_by, created_at
  FROM public.documents
 ORDER BY s3_key COLLATE "C", id;

-- name: old_rows_by_id
SELECT id, project_id, filename, mime, size, s3_key, uploaded_by, created_at
  FROM public.documents
 WHERE id > %(after)s
 ORDER BY id
 LIMIT %(limit)s;

-- name: next_old_id
SELECT nextval(pg_get_serial_sequence('public.documents', 'id')) AS id;

-- name: mapped_projects
SELECT organization_id, old_id, project_id, writes_back, prefix FROM legacy_projects;

-- name: owner_by_name
SELECT o.id AS organization_id, m.id, m.name
  FROM organizations o
  JOIN members m ON m.organization_id = o.id AND m.role = 'owner' AND m.removed_at IS NULL
 WHERE o.name = %(name)s
 ORDER BY m.created_at
 LIMIT 1;

-- name: owner_by_organization
SELECT m.id, m.name
  FROM members m
 WHERE m.organization_id = %(organization)s AND m.role = 'owner' AND m.removed_at IS NULL
 ORDER BY m.created_at
 LIMIT 1;

-- name: token_of_old_key
SELECT token_id FROM legacy_keys WHERE key_sha256 = %(key)s;
