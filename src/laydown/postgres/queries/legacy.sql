-- What one organization's transactions know of the old system. Its own table is `public.documents`.

-- name: map_project
INSERT INTO legacy_projects (organization_id, old_id, project_id, writes_back, prefix)
VALUES (%(organization)s, %(old)s, %(project)s, %(writes_back)s, %(prefix)s)
ON CONFLICT (old_id, organization_id)
    DO UPDATE SET project_id = excluded.project_id, writes_back = excluded.writes_back,
                  prefix = excluded.prefix;

-- name: old_projects
SELECT organization_id, old_id, project_id, writes_back, prefix
  FROM legacy_projects
 WHERE organization_id = %(organization)s AND (%(old)s::bigint IS NULL OR old_id = %(old)s)
 ORDER BY old_id;

-- name: keep_old_ids
INSERT INTO legacy_documents (organization_id, old_id, project_id, upload_id, origin, filename, mime,
                              uploaded_by, created_at)
SELECT %(organization)s, k.id, k.project, k.upload, k.origin::legacy_origin, k.filename, k.mime,
       k.uploaded_by, coalesce(k.created_at, now())
  FROM jsonb_to_recordset(%(rows)s::jsonb) AS k(
       id bigint, project uuid, upload uuid, origin text, filename text, mime text,
       uploaded_by text, created_at timestamptz)
 ORDER BY k.id
ON CONFLICT (old_id, organization_id) DO UPDATE SET upload_id = excluded.upload_id;

-- name: standings
SELECT l.old_id, l.upload_id, l.origin, l.filename, u.state, u.reason, d.id AS document_id,
       d.project_id, d.path, d.current_id = v.id AS is_current, v.id AS version_id, v.number,
       v.created_at, b.id AS blob_id, b.sha256, b.size, b.kind, b.media_type, b.object_key,
       b.store_version, b.scanned_by, b.is_infected, b.is_missing
  FROM legacy_documents l
  LEFT JOIN uploads u ON u.id = l.upload_id AND u.organization_id = l.organization_id
  LEFT JOIN versions v ON v.id = u.version_id AND v.organization_id = l.organization_id
  LEFT JOIN documents d ON d.id = v.document_id AND d.organization_id = l.organization_id
  LEFT JOIN blobs b ON b.id = v.blob_id AND b.organization_id = l.organization_id
 WHERE l.organization_id = %(organization)s AND l.old_id = ANY(%(ids)s::bigint[]);

-- name: old_document
-- A row, or what will be one as soon as its file is proven.
SELECT d.id, d.project_id, d.filename, d.mime, d.size, d.s3_key, d.uploaded_by, d.created_at
  FROM public.documents d
  JOIN legacy_projects p ON p.old_id = d.project_id AND p.organization_id = %(organization)s
 WHERE d.id = %(id)s
 UNION ALL
SELECT l.old_id, p.old_id, l.filename, l.mime, u.size, '', l.uploaded_by, l.created_at
  FROM legacy_documents l
  JOIN legacy_projects p ON p.project_id = l.project_id AND p.organization_id = l.organization_id
  JOIN uploads u ON u.id = l.upload_id AND u.organization_id = l.organization_id
 WHERE l.organization_id = %(organization)s AND l.old_id = %(id)s AND l.origin = 'ours'
   AND u.state IN ('declared', 'checking', 'processing');

-- name: old_documents
SELECT d.id, d.project_id, d.filename, d.mime, d.size, d.s3_key, d.uploaded_by, d.created_at
  FROM public.documents d
  JOIN legacy_projects p ON p.old_id = d.project_id AND p.organization_id = %(organization)s
 WHERE d.project_id = %(project)s AND d.id > %(after)s
 ORDER BY d.id
 LIMIT %(limit)s;

-- name: count_reading
SELECT count(*)
  FROM uploads
 WHERE organization_id = %(organization)s AND state IN ('sealing', 'checking', 'processing')
   AND object_key LIKE 'f/%%';

-- name: fates
SELECT u.state, u.reason, count(*) AS files, sum(u.size)::bigint AS bytes
  FROM legacy_documents l
  JOIN uploads u ON u.id = l.upload_id AND u.organization_id = l.organization_id
 WHERE l.organization_id = %(organization)s AND l.origin = 'old'
 GROUP BY u.state, u.reason
 ORDER BY files DESC, u.state;

-- name: imported
-- Those that may go, and those whose documents hold something that was not imported, or were delivered
-- again as they are: whoever did was told that it is here, which ranks the document higher.
SELECT l.old_id, l.upload_id, v.id AS version_id, v.document_id, v.blob_id,
       EXISTS (
           SELECT FROM versions o
             JOIN uploads u ON u.id = o.upload_id AND u.organization_id = o.organization_id
            WHERE o.document_id = v.document_id AND o.organization_id = v.organization_id
              AND u.object_key NOT LIKE 'f/%%')
       OR EXISTS (
           SELECT FROM documents d
             JOIN uploads u ON u.id = l.upload_id AND u.organization_id = l.organization_id
            WHERE d.id = v.document_id AND d.organization_id = v.organization_id
              AND d.current_id = v.id AND d.current_order > u.ordinal) AS is_kept
  FROM legacy_documents l
  LEFT JOIN versions v ON v.upload_id = l.upload_id AND v.organization_id = l.organization_id
 WHERE l.organization_id = %(organization)s AND l.origin = 'old'
   AND l.old_id > %(after)s
 ORDER BY l.old_id
 LIMIT %(limit)s;

-- name: forget_versions
DELETE FROM versions WHERE organization_id = %(organization)s AND id = ANY(%(ids)s::uuid[]);

-- name: forget_documents
DELETE FROM documents d
 WHERE d.organization_id = %(organization)s AND d.id = ANY(%(ids)s::uuid[])
   AND NOT EXISTS (SELECT FROM versions v WHERE v.document_id = d.id
                      AND v.organization_id = d.organization_id);

-- name: forget_blobs
-- What was delivered since and has the same bytes goes on reading them where they are.
DELETE FROM blobs b
 WHERE b.organization_id = %(organization)s AND b.id = ANY(%(ids)s::uuid[])
   AND b.object_key LIKE 'f/%%'
   AND NOT EXISTS (SELECT FROM versions v WHERE v.blob_id = b.id
                      AND v.organization_id = b.organization_id);

-- name: forget_jobs
DELETE FROM jobs WHERE organization_id = %(organization)s AND upload_id = ANY(%(ids)s::uuid[]);

-- name: forget_scans
DELETE FROM scans s
 USING uploads u
 WHERE s.organization_id = %(organization)s AND u.organization_id = s.organization_id
   AND u.id = ANY(%(ids)s::uuid[]) AND s.object_key = u.object_key;

-- name: forget_proofs
DELETE FROM proofs p
 USING uploads u
 WHERE p.organization_id = %(organization)s AND u.organization_id = p.organization_id
   AND u.id = ANY(%(ids)s::uuid[]) AND p.object_key = u.object_key;

-- name: forget_uploads
DELETE FROM uploads WHERE organization_id = %(organization)s AND id = ANY(%(ids)s::uuid[]);

-- name: forget_failed_tries
-- Of documents that were read again.
DELETE FROM uploads u
 WHERE u.organization_id = %(organization)s AND u.object_key LIKE 'f/%%'
   AND u.state IN ('failed', 'rejected')
   AND NOT EXISTS (SELECT FROM legacy_documents l WHERE l.upload_id = u.id
                      AND l.organization_id = u.organization_id);

-- name: forget_old_ids
DELETE FROM legacy_documents
 WHERE organization_id = %(organization)s AND old_id = ANY(%(ids)s::bigint[]) AND origin = 'old';

-- name: keep_old_key
INSERT INTO legacy_keys (organization_id, key_sha256, token_id)
VALUES (%(organization)s, %(key)s, %(token)s)
ON CONFLICT (key_sha256, organization_id) DO UPDATE SET token_id = excluded.token_id;
