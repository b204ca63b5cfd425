-- About BETWEEN, see uploads.sql.

-- name: lock_documents
-- Made if absent and locked either way, in one order for everybody.
INSERT INTO documents (organization_id, id, project_id, path, path_folded)
SELECT %(organization)s, d.id, %(project)s, d.path, d.folded
  FROM jsonb_to_recordset(%(rows)s::jsonb) AS d(id uuid, path text, folded text)
 ORDER BY d.folded COLLATE "C"
ON CONFLICT (project_id, path_folded COLLATE "C")
    DO UPDATE SET path = documents.path
RETURNING id, path_folded, last_number, current_id, current_order;

-- name: current_digests
-- Apart from lock_documents, because that may have waited for versions its snapshot can't see.
SELECT v.id, b.sha256, NOT b.is_missing AND NOT b.is_infected AS is_kept
  FROM versions v
  JOIN blobs b ON b.organization_id = v.organization_id AND b.id = v.blob_id
 WHERE v.organization_id = %(organization)s AND v.id = ANY(%(versions)s::uuid[]);

-- name: keep_blobs
INSERT INTO blobs (organization_id, id, sha256, size, kind, media_type, object_key, store_version,
                   scanned_by)
SELECT %(organization)s, b.id, decode(b.sha256, 'hex'), b.size, b.kind, b.media_type, b.object_key,
       b.store_version, b.scanned_by
  FROM jsonb_to_recordset(%(rows)s::jsonb) AS b(
       id uuid, sha256 text, size bigint, kind text, media_type text, object_key text,
       store_version text, scanned_by text)
 ORDER BY b.sha256
ON CONFLICT DO NOTHING
RETURNING sha256;

-- name: add_versions
-- One document may get several at once: it moves on to the last of them.
WITH added AS (
    INSERT INTO versions (organization_id, id, document_id, number, upload_id, blob_id)
    SELECT %(organization)s, v.id, v.document, v.number, v.upload, v.blob
      FROM jsonb_to_recordset(%(rows)s::jsonb) AS v(
           id uuid, document uuid, number int, upload uuid, blob uuid)
     WHERE v.id BETWEEN '00000000-0000-0000-0000-000000000000'
                AND 'ffffffff-ffff-ffff-ffff-ffffffffffff'
    RETURNING id, document_id, number, upload_id
), newest AS (
    SELECT a.document_id, max(a.number) AS number, max(u.ordinal) AS ordinal,
           (array_agg(a.id ORDER BY u.ordinal DESC))[1] AS id
      FROM added a
      JOIN uploads u ON u.organization_id = %(organization)s AND u.id = a.upload_id
     GROUP BY a.document_id
)
UPDATE documents d
   SET last_number = greatest(d.last_number, n.number),
       current_id = CASE WHEN n.ordinal > coalesce(d.current_order, -1) THEN n.id
                         ELSE d.current_id END,
       current_order = greatest(d.current_order, n.ordinal)
  FROM newest n
 WHERE d.organization_id = %(organization)s AND d.id = n.document_id;

-- name: confirm_current
-- Who brings the current content again outranks what was declared before and is still on its way.
UPDATE documents d
   SET current_order = greatest(d.current_order, u.ordinal)
  FROM jsonb_to_recordset(%(rows)s::jsonb) AS a(id uuid, sha256 text)
  JOIN uploads u ON u.organization_id = %(organization)s AND u.id = a.id,
       versions v
  JOIN blobs b ON b.organization_id = %(organization)s AND b.id = v.blob_id
 WHERE d.organization_id = %(organization)s AND d.project_id = u.project_id
   AND d.path_folded COLLATE "C" = u.path_folded
   AND v.organization_id = d.organization_id AND v.id = d.current_id
   AND b.sha256 = decode(a.sha256, 'hex')
RETURNING a.id;

-- name: remember_refusals
INSERT INTO refusals (organization_id, sha256, extension, policy, reason)
SELECT %(organization)s, decode(r.sha256, 'hex'), r.extension, %(policy)s, r.reason
  FROM jsonb_to_recordset(%(rows)s::jsonb) AS r(sha256 text, extension text, reason text)
 ORDER BY r.sha256, r.extension
ON CONFLICT DO NOTHING;

-- name: list_documents
SELECT d.id AS document_id, d.project_id, d.path, d.path_folded, d.last_number,
       v.id AS version_id, v.number, v.upload_id, v.created_at,
       b.id AS blob_id, b.sha256, b.size, b.kind, b.media_type, b.object_key,
       b.store_version, b.scanned_by, b.is_infected, b.is_missing
  FROM documents d
  JOIN versions v ON v.organization_id = d.organization_id AND v.id = d.current_id
  JOIN blobs b ON b.organization_id = v.organization_id AND b.id = v.blob_id
 WHERE d.organization_id = %(organization)s AND d.project_id = %(project)s
   AND (%(after)s::text IS NULL OR d.path_folded COLLATE "C" > %(after)s)
   AND (%(under)s::text IS NULL OR d.path_folded = %(under)s
        OR (d.path_folded COLLATE "C" >= %(under)s || '/'
            AND d.path_folded COLLATE "C" < %(under)s || '0'))
   AND (%(text)s::text IS NULL OR strpos(d.path_folded, %(text)s) > 0)
   AND (%(kind)s::text IS NULL OR b.kind = %(kind)s)
 ORDER BY d.path_folded COLLATE "C"
 LIMIT %(limit)s;

-- name: list_folder
-- What lies directly in a folder, a probe of the index for each: what is below a folder is stepped
-- over, so that a page costs the same in a project of a thousand documents and of a million. Names
-- hold no control characters, so chr(1) behind a path is before every other path behind it; '0' is
-- what follows '/'. Where to go on is a column: row security lets an index compare with a plain
-- column only, not with what a function makes of one. After `probe_indexes`.
WITH RECURSIVE child AS (
    (SELECT 1 AS n, d.id, d.path, d.path_folded, d.last_number, d.current_id, s.slash, s.behind
       FROM documents d
      CROSS JOIN LATERAL (
            SELECT strpos(substr(d.path_folded, %(skip)s), '/') AS slash) f
      CROSS JOIN LATERAL (
            SELECT f.slash, CASE WHEN f.slash > 0
                   THEN left(d.path_folded, %(skip)s + f.slash - 2) || '0'
                   ELSE d.path_folded || chr(1) END AS behind) s
      WHERE d.organization_id = %(organization)s AND d.project_id = %(project)s
        AND d.current_id IS NOT NULL
        AND d.path_folded COLLATE "C" >= %(begin)s AND d.path_folded COLLATE "C" < %(until)s
      ORDER BY d.path_folded COLLATE "C"
      LIMIT 1)
    UNION ALL
    SELECT c.n + 1, next.*
      FROM child c
     CROSS JOIN LATERAL (
           SELECT d.id, d.path, d.path_folded, d.last_number, d.current_id, s.slash, s.behind
             FROM documents d
            CROSS JOIN LATERAL (
                  SELECT strpos(substr(d.path_folded, %(skip)s), '/') AS slash) f
            CROSS JOIN LATERAL (
                  SELECT f.slash, CASE WHEN f.slash > 0
                         THEN left(d.path_folded, %(skip)s + f.slash - 2) || '0'
                         ELSE d.path_folded || chr(1) END AS behind) s
            WHERE d.organization_id = %(organization)s AND d.project_id = %(project)s
              AND d.current_id IS NOT NULL
              AND d.path_folded COLLATE "C" >= c.behind
              AND d.path_folded COLLATE "C" < %(until)s
            ORDER BY d.path_folded COLLATE "C"
            LIMIT 1) next
     WHERE c.n < %(limit)s
)
SELECT c.slash, c.path, c.path_folded, c.id AS document_id, %(project)s::uuid AS project_id,
       c.last_number, held.*
  FROM child c
  LEFT JOIN LATERAL (
       SELECT v.id AS version_id, v.number, v.upload_id, v.created_at,
              b.id AS blob_id, b.sha256, b.size, b.kind, b.media_type, b.object_key,
              b.store_version, b.scanned_by, b.is_infected, b.is_missing
         FROM versions v
         JOIN blobs b ON b.id = v.blob_id AND b.organization_id = v.organization_id
        WHERE v.id = c.current_id AND v.organization_id = %(organization)s
       OFFSET 0) held ON c.slash = 0
 ORDER BY c.n;

-- name: get_document
SELECT d.id AS document_id, d.project_id, d.path, d.path_folded, d.last_number,
       v.id AS version_id, v.number, v.upload_id, v.created_at,
       b.id AS blob_id, b.sha256, b.size, b.kind, b.media_type, b.object_key,
       b.store_version, b.scanned_by, b.is_infected, b.is_missing
  FROM documents d
  JOIN versions v ON v.organization_id = d.organization_id AND v.id = d.current_id
  JOIN blobs b ON b.organization_id = v.organization_id AND b.id = v.blob_id
 WHERE d.organization_id = %(organization)s AND d.id = %(id)s;

-- name: list_versions
SELECT d.id AS document_id, d.project_id, d.path, d.current_id = v.id AS is_current,
       v.id AS version_id, v.number, v.upload_id, v.created_at,
       b.id AS blob_id, b.sha256, b.size, b.kind, b.media_type, b.object_key,
       b.store_version, b.scanned_by, b.is_infected, b.is_missing
  FROM versions v
  JOIN documents d ON d.organization_id = v.organization_id AND d.id = v.document_id
  JOIN blobs b ON b.organization_id = v.organization_id AND b.id = v.blob_id
 WHERE v.organization_id = %(organization)s AND v.document_id = %(document)s
   AND (%(after)s::bigint IS NULL OR v.number < %(after)s)
 ORDER BY v.number DESC
 LIMIT %(limit)s;

-- name: get_version
SELECT d.id AS document_id, d.project_id, d.path, d.current_id = v.id AS is_current,
       v.id AS version_id, v.number, v.upload_id, v.created_at,
       b.id AS blob_id, b.sha256, b.size, b.kind, b.media_type, b.object_key,
       b.store_version, b.scanned_by, b.is_infected, b.is_missing
  FROM versions v
  JOIN documents d ON d.organization_id = v.organization_id AND d.id = v.document_id
  JOIN blobs b ON b.organization_id = v.organization_id AND b.id = v.blob_id
 WHERE v.organization_id = %(organization)s AND v.id = %(id)s;
