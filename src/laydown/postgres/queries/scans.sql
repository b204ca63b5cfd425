-- name: get_scans
SELECT object_key, scanner, verdict, threat, store_version
  FROM scans
 WHERE organization_id = %(organization)s AND object_key = ANY(%(keys)s::text[]);

-- name: keep_scans
-- Written in one order by everybody; what is said later counts.
INSERT INTO scans (organization_id, object_key, scanner, verdict, threat, store_version)
SELECT %(organization)s, s.object_key, s.scanner, s.verdict::scan_verdict, s.threat,
       s.store_version
  FROM jsonb_to_recordset(%(rows)s::jsonb) AS s(
       object_key text, scanner text, verdict text, threat text, store_version text)
 ORDER BY s.object_key
ON CONFLICT (object_key, organization_id) DO UPDATE
   SET scanner = EXCLUDED.scanner, verdict = EXCLUDED.verdict, threat = EXCLUDED.threat,
       store_version = EXCLUDED.store_version, scanned_at = now();

-- name: get_proofs
SELECT object_key, sha256, size, kind, is_pointer, store_version
  FROM proofs
 WHERE organization_id = %(organization)s AND object_key = ANY(%(keys)s::text[]);

-- name: keep_proofs
-- What is proven again has waited since it was proven first.
INSERT INTO proofs (organization_id, object_key, sha256, size, kind, is_pointer, store_version)
SELECT %(organization)s, p.object_key, decode(p.sha256, 'hex'), p.size, p.kind, p.is_pointer,
       p.store_version
  FROM jsonb_to_recordset(%(rows)s::jsonb) AS p(
       object_key text, sha256 text, size bigint, kind text, is_pointer boolean,
       store_version text)
 ORDER BY p.object_key
ON CONFLICT (object_key, organization_id) DO UPDATE
   SET sha256 = EXCLUDED.sha256, size = EXCLUDED.size, kind = EXCLUDED.kind,
       is_pointer = EXCLUDED.is_pointer, store_version = EXCLUDED.store_version;

-- name: drop_proofs
DELETE FROM proofs
 WHERE organization_id = %(organization)s AND object_key = ANY(%(keys)s::text[]);

-- name: list_contents
-- Documents that can be reached by their path, each with the objects of all its versions; one
-- whose content is gone is listed too, because the next page begins after the last of them.
SELECT d.path_folded, held.keys
  FROM (SELECT id, path_folded
          FROM documents
         WHERE organization_id = %(organization)s AND project_id = %(project)s
           AND (%(after)s::text IS NULL OR path_folded COLLATE "C" > %(after)s)
           AND (%(under)s::text IS NULL OR path_folded = %(under)s
                OR (path_folded COLLATE "C" >= %(under)s || '/'
                    AND path_folded COLLATE "C" < %(under)s || '0'))
         ORDER BY path_folded COLLATE "C"
         LIMIT %(limit)s) AS d
 CROSS JOIN LATERAL (
       SELECT coalesce(array_agg(DISTINCT b.object_key), ARRAY[]::text[]) AS keys
         FROM versions v
         JOIN blobs b ON b.organization_id = v.organization_id AND b.id = v.blob_id
                     AND NOT b.is_missing AND NOT b.is_infected
        WHERE v.organization_id = %(organization)s AND v.document_id = d.id) AS held
 ORDER BY d.path_folded COLLATE "C";

-- name: blob_at
SELECT id, sha256, size, kind, media_type, object_key, store_version, scanned_by, is_infected
  FROM blobs
 WHERE organization_id = %(organization)s AND object_key = %(key)s AND NOT is_missing;

-- name: mark_scanned
UPDATE blobs
   SET scanned_by = %(scanner)s
 WHERE organization_id = %(organization)s AND object_key = %(key)s AND NOT is_infected;

-- name: mark_infected
-- Returns every upload that brought this content, or a row without one when none has a version of
-- it; a scan of other bytes than these marks nothing.
WITH marked AS (
    UPDATE blobs
       SET is_infected = true, scanned_by = %(scanner)s
     WHERE organization_id = %(organization)s AND object_key = %(key)s AND NOT is_infected
       AND (store_version IS NULL OR coalesce(%(version)s::text, store_version) = store_version)
    RETURNING id
)
SELECT u.id, u.batch_id
  FROM marked m
  LEFT JOIN versions v ON v.organization_id = %(organization)s AND v.blob_id = m.id
  LEFT JOIN uploads u ON u.organization_id = %(organization)s AND u.id = v.upload_id
 ORDER BY u.ordinal;
