-- name: silent_uploads
-- Quiet itself, in a batch nobody has touched since its last URL could have been used.
SELECT u.organization_id, u.id
  FROM uploads u
  JOIN batches b ON b.organization_id = u.organization_id AND b.id = u.batch_id
 WHERE u.state IN ('declared', 'receiving') AND u.moved_at < now() - %(silence)s
   AND b.touched_at < now() - %(silence)s
   AND (u.leader_id IS NULL OR NOT EXISTS (
        SELECT FROM uploads l
         WHERE l.organization_id = u.organization_id AND l.id = u.leader_id
           AND (l.state IN ('sealing', 'checking', 'processing')
                OR l.moved_at >= now() - %(silence)s)))
 ORDER BY u.moved_at
 LIMIT %(limit)s;

-- name: unreported_uploads
-- Receiving, and the last URL anybody got for them ran out a while ago. Older ones were asked
-- about then; they are asked about once more before they expire.
SELECT u.organization_id, u.id
  FROM uploads u
  JOIN batches b ON b.organization_id = u.organization_id AND b.id = u.batch_id
 WHERE u.state = 'receiving' AND (%(after)s::uuid IS NULL OR u.id > %(after)s)
   AND greatest(u.moved_at, b.touched_at)
       BETWEEN now() - %(silence)s - interval '30 minutes' AND now() - %(silence)s
 ORDER BY u.id
 LIMIT %(limit)s;

-- name: idle_batches
SELECT b.organization_id, b.id
  FROM batches b
 WHERE b.closed_at IS NULL AND b.touched_at < now() - %(silence)s
   AND NOT EXISTS (
       SELECT FROM uploads u
        WHERE u.batch_id = b.id AND u.organization_id = b.organization_id
          AND u.state IN ('declared', 'receiving'))
 ORDER BY b.touched_at
 LIMIT %(limit)s;

-- name: wanted_objects
-- An object is wanted while its upload may still become a blob, a blob refers to it, or a job is
-- about to deal with it: quarantined ones wait for theirs.
SELECT k.key,
       EXISTS (SELECT FROM uploads u
                WHERE u.organization_id = k.organization AND u.id = k.upload
                  AND u.attempt = k.attempt
                  AND u.state IN ('declared', 'receiving', 'sealing', 'checking', 'processing',
                                  'failed'))
       OR EXISTS (SELECT FROM blobs b WHERE b.object_key = k.key)
       OR EXISTS (SELECT FROM jobs j WHERE j.object_key = k.key) AS is_wanted
  FROM jsonb_to_recordset(%(keys)s::jsonb) AS k(
       key text, organization uuid, upload uuid, attempt int)
 WHERE k.upload BETWEEN '00000000-0000-0000-0000-000000000000'
                AND 'ffffffff-ffff-ffff-ffff-ffffffffffff';

-- name: present_blobs
-- Of our own store: what is in another's bucket is compared by `laydown legacy verify`.
SELECT organization_id, id, sha256, size, kind, media_type, object_key, store_version, scanned_by
  FROM blobs
 WHERE NOT is_missing AND NOT is_infected
   AND object_key > coalesce(%(after)s::text, 'u/') AND object_key < 'u0'
 ORDER BY object_key
 LIMIT %(limit)s;

-- name: mark_missing
UPDATE blobs SET is_missing = true WHERE id = ANY(%(ids)s::uuid[]) AND NOT is_missing
RETURNING size;

-- name: count_unjudged
-- A proof may stay behind an upload that was given up; only what is still checked waits.
SELECT count(*) AS files, coalesce(now() - min(p.proven_at), interval '0') AS oldest
  FROM proofs p
  JOIN uploads u ON u.id = split_part(p.object_key, '/', 3)::uuid
                AND u.organization_id = p.organization_id
 WHERE u.state = 'checking' AND u.object_key = p.object_key;

-- name: fold_usage
-- Older changes first, so that no sum is ever less than nothing.
WITH folded AS (
    DELETE FROM usage_changes c
     USING (SELECT organization_id, id FROM usage_changes
             ORDER BY organization_id, id LIMIT %(limit)s) AS old
     WHERE c.organization_id = old.organization_id AND c.id = old.id
    RETURNING c.organization_id, c.project_id, c.bytes, c.files, c.uploads
), summed AS (
    INSERT INTO usage AS u (organization_id, project_id, bytes, files, uploads)
    SELECT organization_id, project_id, sum(bytes), sum(files), sum(uploads)
      FROM folded
     GROUP BY organization_id, project_id
     ORDER BY organization_id, project_id
    ON CONFLICT (organization_id, project_id)
        DO UPDATE SET bytes = u.bytes + excluded.bytes, files = u.files + excluded.files,
                      uploads = u.uploads + excluded.uploads
)
SELECT count(*) AS changes FROM folded;

-- name: durability
-- Settings under which an acknowledged commit may be lost.
SELECT name, setting FROM pg_settings
 WHERE (name = 'fsync' AND setting = 'off')
    OR (name = 'synchronous_commit' AND setting = 'off')
    OR (name = 'full_page_writes' AND setting = 'off');
