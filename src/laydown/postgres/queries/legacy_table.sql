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

-- name: what_may_refuse_a_row
-- Each row is one thing, in words. Of checks nobody can say here what they let through.
SELECT CASE
           WHEN NOT c.column_name = ANY(%(filled)s) THEN c.column_name || ' has to be filled'
           WHEN c.character_maximum_length < %(longest)s
           THEN c.column_name || ' takes ' || c.character_maximum_length || ' letters at most'
           ELSE c.column_name || ' has to be filled, always'
       END AS why
  FROM information_schema.columns c
 WHERE c.table_schema = 'public' AND c.table_name = 'documents'
   AND (c.character_maximum_length < %(longest)s AND c.column_name = ANY(%(filled)s)
        OR c.is_nullable = 'NO' AND c.column_default IS NULL AND c.is_identity = 'NO'
           AND c.is_generated = 'NEVER'
           AND (c.column_name = 'uploaded_by' OR NOT c.column_name = ANY(%(filled)s)))
UNION ALL
SELECT 'the index ' || i.relname || ' wants what it has to be there once'
  FROM pg_index x
  JOIN pg_class i ON i.oid = x.indexrelid
 WHERE x.indrelid = 'public.documents'::regclass AND x.indisunique
   AND NOT EXISTS (SELECT FROM pg_attribute a
                    WHERE a.attrelid = x.indrelid AND a.attnum = ANY(x.indkey)
                      AND a.attname = 'id')
ORDER BY why;

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
