-- Thousands of rows come in as one JSON array, and each then finds its own by a key. Every such
-- array passes through a BETWEEN that is always true: the planner takes an array for a hundred
-- rows, and on tables without statistics would rather read the whole table than look up a hundred
-- keys. A range makes it expect one row, and it looks up the keys, however large the table.

-- name: known_in_batch
-- What this batch knows of thousands of entries, each named by its place in the array: an upload
-- of the same key, one that holds the path (what was refused, taken back or given up holds none),
-- one that brings the same bytes. OFFSET 0 keeps each look-up a look-up.
WITH entry AS MATERIALIZED (
    SELECT ordinality AS n, key, folded, decode(digest, 'hex') AS digest
      FROM ROWS FROM (jsonb_to_recordset(%(entries)s::jsonb) AS (
           key text, folded text, digest text)) WITH ORDINALITY
)
SELECT e.n, 'upload' AS what, u.id
  FROM entry e
 CROSS JOIN LATERAL (
       SELECT id FROM uploads
        WHERE batch_id = %(batch)s AND key = e.key AND organization_id = %(organization)s
       OFFSET 0) u
UNION ALL
SELECT e.n, 'path', u.id
  FROM entry e
 CROSS JOIN LATERAL (
       SELECT id FROM uploads
        WHERE batch_id = %(batch)s AND path_folded COLLATE "C" = e.folded
          AND organization_id = %(organization)s
          AND state NOT IN ('rejected', 'cancelled', 'expired', 'failed')
       OFFSET 0) u
UNION ALL
SELECT e.n, 'leader', u.id
  FROM entry e
 CROSS JOIN LATERAL (
       SELECT (array_agg(id ORDER BY ordinal))[1] AS id FROM uploads
        WHERE batch_id = %(batch)s AND claimed_sha256 = e.digest
          AND organization_id = %(organization)s AND leader_id IS NULL
          AND state IN ('declared', 'receiving', 'sealing', 'checking')
       OFFSET 0) u
 WHERE u.id IS NOT NULL;

-- name: known_elsewhere
-- What the organization knows of entries: the bytes themselves, the current content at the path,
-- a refusal of the same bytes under the same extension. For somebody who may not read everything it
-- is what they delivered themselves: a digest alone must tell them nothing, and give them nothing.
WITH entry AS MATERIALIZED (
    SELECT ordinality AS n, folded, decode(digest, 'hex') AS digest, extension
      FROM ROWS FROM (jsonb_to_recordset(%(entries)s::jsonb) AS (
           folded text, digest text, extension text)) WITH ORDINALITY
)
SELECT e.n, 'blob' AS what, b.id, b.sha256, b.size, b.kind, b.media_type, b.object_key,
       b.store_version, b.scanned_by, NULL AS reason
  FROM entry e
 CROSS JOIN LATERAL (
       SELECT * FROM blobs
        WHERE sha256 = e.digest AND organization_id = %(organization)s AND NOT is_missing AND NOT is_infected
       OFFSET 0) b
 WHERE %(whose)s::uuid IS NULL OR EXISTS (
       SELECT FROM versions v
         JOIN uploads u ON u.id = v.upload_id AND u.organization_id = v.organization_id
         JOIN batches d ON d.id = u.batch_id AND d.organization_id = u.organization_id
        WHERE v.blob_id = b.id AND v.organization_id = %(organization)s
          AND d.declared_by = %(whose)s)
UNION ALL
SELECT e.n, 'current', b.id, b.sha256, b.size, b.kind, b.media_type, b.object_key,
       b.store_version, b.scanned_by, NULL
  FROM entry e
 CROSS JOIN LATERAL (
       SELECT current_id FROM documents
        WHERE project_id = %(project)s AND path_folded COLLATE "C" = e.folded
          AND organization_id = %(organization)s
       OFFSET 0) d
 CROSS JOIN LATERAL (
       SELECT blob_id FROM versions
        WHERE id = d.current_id AND organization_id = %(organization)s
          AND (%(whose)s::uuid IS NULL OR EXISTS (
               SELECT FROM uploads u
                 JOIN batches o ON o.id = u.batch_id AND o.organization_id = u.organization_id
                WHERE u.id = versions.upload_id AND u.organization_id = %(organization)s
                  AND o.declared_by = %(whose)s))
       OFFSET 0) v
 CROSS JOIN LATERAL (
       SELECT * FROM blobs
        WHERE id = v.blob_id AND organization_id = %(organization)s AND NOT is_missing AND NOT is_infected
       OFFSET 0) b
UNION ALL
SELECT e.n, 'refusal', NULL, r.sha256, NULL, NULL, NULL, NULL, NULL, NULL, r.reason
  FROM entry e
 CROSS JOIN LATERAL (
       SELECT sha256, reason FROM refusals
        WHERE sha256 = e.digest AND extension = e.extension AND policy = %(policy)s
          AND organization_id = %(organization)s AND %(whose)s::uuid IS NULL
       OFFSET 0) r;

-- name: blobs_by_digest
SELECT id, sha256, size, kind, media_type, object_key, store_version, scanned_by
  FROM blobs
 WHERE organization_id = %(organization)s AND sha256 = ANY(%(digests)s::bytea[])
   AND NOT is_missing AND NOT is_infected;

-- name: declare_uploads
-- One statement for thousands of rows; the identity column follows the order of the array.
INSERT INTO uploads (
    organization_id, id, project_id, batch_id, key, path, path_folded, size, claimed_sha256,
    content_type, modified_at, captured_at, latitude, longitude, state, reason, detail, part_size,
    parts, leader_id, sha256, version_id)
SELECT %(organization)s, u.id, %(project)s, %(batch)s, u.key, u.path, u.folded, u.size,
       decode(u.claimed, 'hex'), u.content_type, u.modified_at, u.captured_at, u.latitude,
       u.longitude, u.state::upload_state, u.reason, u.detail, u.part_size, u.parts, u.leader,
       decode(u.proven, 'hex'), u.version
  FROM ROWS FROM (jsonb_to_recordset(%(rows)s::jsonb) AS (
       id uuid, key text, path text, folded text, size bigint, claimed text, content_type text,
       modified_at timestamptz, captured_at timestamptz, latitude float8, longitude float8,
       state text, reason text, detail text, part_size bigint, parts int, leader uuid,
       proven text, version uuid)) WITH ORDINALITY AS u
 ORDER BY u.ordinality;

-- name: get_uploads
SELECT id, project_id, batch_id, key, path, path_folded, size, claimed_sha256, content_type,
       modified_at, captured_at, latitude, longitude, state, reason, detail, attempt, part_size,
       parts, leader_id, received, sha256, object_key, version_id, multipart_id
  FROM uploads
 WHERE organization_id = %(organization)s AND id = ANY(%(ids)s::uuid[])
 ORDER BY ordinal;

-- name: lock_uploads
SELECT id, project_id, batch_id, key, path, path_folded, size, claimed_sha256, content_type,
       modified_at, captured_at, latitude, longitude, state, reason, detail, attempt, part_size,
       parts, leader_id, received, sha256, object_key, version_id, multipart_id
  FROM uploads
 WHERE organization_id = %(organization)s AND id = ANY(%(ids)s::uuid[])
 ORDER BY ordinal
   FOR NO KEY UPDATE;

-- name: list_uploads
SELECT u.id, u.project_id, u.batch_id, u.key, u.path, u.path_folded, u.size, u.claimed_sha256,
       u.content_type, u.modified_at, u.captured_at, u.latitude, u.longitude, u.state, u.reason,
       u.detail, u.attempt, u.part_size, u.parts, u.leader_id, u.received, u.sha256, u.object_key,
       u.version_id, u.multipart_id, u.ordinal, u.declared_at, u.moved_at,
       v.number AS version_number, b.scanned_by, coalesce(b.is_infected, false) AS is_infected
  FROM uploads u
  LEFT JOIN versions v ON v.organization_id = u.organization_id AND v.id = u.version_id
  LEFT JOIN blobs b ON b.organization_id = v.organization_id AND b.id = v.blob_id
 WHERE u.batch_id = %(batch)s AND u.organization_id = %(organization)s
   AND (%(after)s::bigint IS NULL OR u.ordinal > %(after)s)
   AND (%(state)s::text IS NULL OR u.state = %(state)s::upload_state)
   AND (%(reason)s::text IS NULL OR u.reason = %(reason)s)
   AND (%(text)s::text IS NULL OR strpos(u.path_folded, %(text)s) > 0)
 ORDER BY u.ordinal
 LIMIT %(limit)s;

-- name: get_upload
SELECT u.id, u.project_id, u.batch_id, u.key, u.path, u.path_folded, u.size, u.claimed_sha256,
       u.content_type, u.modified_at, u.captured_at, u.latitude, u.longitude, u.state, u.reason,
       u.detail, u.attempt, u.part_size, u.parts, u.leader_id, u.received, u.sha256, u.object_key,
       u.version_id, u.multipart_id, u.ordinal, u.declared_at, u.moved_at,
       v.number AS version_number, b.scanned_by, coalesce(b.is_infected, false) AS is_infected
  FROM uploads u
  LEFT JOIN versions v ON v.organization_id = u.organization_id AND v.id = u.version_id
  LEFT JOIN blobs b ON b.organization_id = v.organization_id AND b.id = v.blob_id
 WHERE u.organization_id = %(organization)s AND u.id = %(id)s;

-- name: sendable_uploads
SELECT id, project_id, batch_id, key, path, path_folded, size, claimed_sha256, content_type,
       modified_at, captured_at, latitude, longitude, state, reason, detail, attempt, part_size,
       parts, leader_id, received, sha256, object_key, version_id, multipart_id
  FROM uploads
 WHERE batch_id = %(batch)s AND organization_id = %(organization)s
   AND state IN ('declared', 'receiving') AND leader_id IS NULL
   AND (part_size IS NULL OR received < size)
 ORDER BY ordinal
 LIMIT %(limit)s;

-- name: landed_parts
SELECT p.upload_id, array_agg(p.number ORDER BY p.number) AS numbers
  FROM parts p
  JOIN uploads u ON u.organization_id = p.organization_id AND u.id = p.upload_id
                AND u.attempt = p.attempt
 WHERE p.organization_id = %(organization)s AND p.upload_id = ANY(%(ids)s::uuid[])
 GROUP BY p.upload_id;

-- name: settle_attempts
-- Waits for whoever is about to record a part of these; what is read after it is whole.
SELECT id FROM uploads
 WHERE organization_id = %(organization)s AND id = ANY(%(ids)s::uuid[])
 ORDER BY ordinal
   FOR SHARE;

-- name: recorded_parts
WITH asked AS (
    SELECT * FROM jsonb_to_recordset(%(attempts)s::jsonb) AS a(id uuid, attempt int)
     WHERE id BETWEEN '00000000-0000-0000-0000-000000000000'
                AND 'ffffffff-ffff-ffff-ffff-ffffffffffff'
)
SELECT p.upload_id AS id, p.attempt, array_agg(p.number) AS numbers
  FROM asked a
  JOIN parts p ON p.organization_id = %(organization)s AND p.upload_id = a.id
              AND p.attempt = a.attempt
 GROUP BY p.upload_id, p.attempt
UNION ALL
SELECT u.id, u.attempt, ARRAY[1]
  FROM asked a
  JOIN uploads u ON u.organization_id = %(organization)s AND u.id = a.id
                AND u.attempt = a.attempt AND u.crc64nvme IS NOT NULL;

-- name: record_whole_files
-- A group of durable single-part files: each goes on to be checked, with its job, or says why not.
WITH arrived AS (
    SELECT * FROM jsonb_to_recordset(%(parts)s::jsonb)
        AS a(id uuid, attempt int, size bigint, crc bigint, object_key text, job uuid)
     WHERE id BETWEEN '00000000-0000-0000-0000-000000000000'
                AND 'ffffffff-ffff-ffff-ffff-ffffffffffff'
), moved AS (
    UPDATE uploads u
       SET state = 'checking', received = a.size, crc64nvme = a.crc, object_key = a.object_key,
           moved_at = now()
      FROM arrived a
     WHERE u.organization_id = %(organization)s AND u.id = a.id AND u.attempt = a.attempt
       AND u.size = a.size AND u.part_size IS NULL AND u.leader_id IS NULL
       AND u.state = 'declared'
    RETURNING u.id, u.attempt, u.batch_id, a.job
), lanes AS MATERIALIZED (
    SELECT d.batch_id, lane_of_batch(d.batch_id) AS lane, b.trace
      FROM (SELECT DISTINCT batch_id FROM moved) AS d
      JOIN batches b ON b.organization_id = %(organization)s AND b.id = d.batch_id
), queued AS (
    INSERT INTO jobs (id, organization_id, kind, upload_id, lane, trace)
    SELECT m.job, %(organization)s, 'prove', m.id, l.lane, l.trace
      FROM moved m JOIN lanes l ON l.batch_id = m.batch_id
)
SELECT a.id, a.attempt, m.batch_id, m.id IS NOT NULL AS is_recorded,
       u.attempt = a.attempt AND u.crc64nvme IS NOT NULL AS was_recorded,
       u.crc64nvme = a.crc AND u.size = a.size AS is_same
  FROM arrived a
  LEFT JOIN moved m ON m.id = a.id AND m.attempt = a.attempt
  LEFT JOIN uploads u ON u.organization_id = %(organization)s AND u.id = a.id;

-- name: record_parts
-- Parts of multipart uploads, locked first so that completing waits for them or comes before.
WITH arrived AS (
    SELECT * FROM jsonb_to_recordset(%(parts)s::jsonb)
        AS a(id uuid, attempt int, number int, size bigint, crc bigint)
     WHERE id BETWEEN '00000000-0000-0000-0000-000000000000'
                AND 'ffffffff-ffff-ffff-ffff-ffffffffffff'
), open AS (
    SELECT id, attempt, state, batch_id
      FROM uploads
     WHERE organization_id = %(organization)s AND id IN (SELECT id FROM arrived)
       AND state IN ('declared', 'receiving') AND part_size IS NOT NULL AND leader_id IS NULL
     ORDER BY ordinal
       FOR NO KEY UPDATE
), written AS (
    INSERT INTO parts (organization_id, upload_id, attempt, number, size, crc64nvme)
    SELECT %(organization)s, a.id, a.attempt, a.number, a.size, a.crc
      FROM arrived a JOIN open o ON o.id = a.id AND o.attempt = a.attempt
    ON CONFLICT DO NOTHING
    RETURNING upload_id, attempt, number, size
), received AS (
    UPDATE uploads u
       SET state = 'receiving', received = received + w.bytes, moved_at = now()
      FROM (SELECT upload_id, sum(size)::bigint AS bytes FROM written GROUP BY 1) w
     WHERE u.organization_id = %(organization)s AND u.id = w.upload_id
)
SELECT a.id, a.attempt, a.number, o.batch_id, w.number IS NOT NULL AS is_recorded,
       w.number IS NOT NULL AND o.state = 'declared' AS is_first,
       p.number IS NOT NULL AS was_recorded, p.crc64nvme = a.crc AND p.size = a.size AS is_same
  FROM arrived a
  LEFT JOIN open o ON o.id = a.id AND o.attempt = a.attempt
  LEFT JOIN written w ON w.upload_id = a.id AND w.attempt = a.attempt AND w.number = a.number
  LEFT JOIN parts p ON p.organization_id = %(organization)s AND p.upload_id = a.id
                   AND p.attempt = a.attempt AND p.number = a.number;

-- name: say_received
-- What a client says has gone straight to the store: only shown, and never the whole file.
UPDATE uploads u
   SET received = greatest(u.received, least(s.bytes, u.size - 1))
  FROM jsonb_to_recordset(%(rows)s::jsonb) AS s(id uuid, bytes bigint)
 WHERE u.organization_id = %(organization)s AND u.id = s.id AND u.batch_id = %(batch)s
   AND u.state = 'receiving' AND s.bytes > u.received AND u.size > 0
   AND s.id BETWEEN '00000000-0000-0000-0000-000000000000'
                AND 'ffffffff-ffff-ffff-ffff-ffffffffffff';

-- name: move_uploads
-- Compare-and-set over many: those not returned were moved by someone else first.
UPDATE uploads u
   SET state = c.state::upload_state, reason = c.reason, detail = c.detail,
       attempt = c.attempt, leader_id = c.leader, received = c.received,
       crc64nvme = CASE WHEN u.attempt = c.attempt THEN u.crc64nvme END,
       sha256 = decode(c.sha256, 'hex'), object_key = c.object_key, version_id = c.version,
       multipart_id = c.multipart, moved_at = now()
  FROM jsonb_to_recordset(%(changes)s::jsonb) AS c(
       id uuid, was text, was_attempt int, state text, reason text, detail text, attempt int,
       leader uuid, received bigint, sha256 text, object_key text, version uuid, multipart text)
 WHERE u.organization_id = %(organization)s AND u.id = c.id
   AND u.state = c.was::upload_state AND u.attempt = c.was_attempt
   AND c.id BETWEEN '00000000-0000-0000-0000-000000000000'
                AND 'ffffffff-ffff-ffff-ffff-ffffffffffff'
RETURNING u.id;

-- name: restart_uploads
-- Another file under the same key: a new attempt, declared last from now on.
UPDATE uploads u
   SET attempt = c.attempt, path = c.path, path_folded = c.folded, size = c.size,
       claimed_sha256 = decode(c.claimed, 'hex'), content_type = c.content_type,
       modified_at = c.modified_at, captured_at = c.captured_at, latitude = c.latitude,
       longitude = c.longitude, state = 'declared', reason = NULL, detail = NULL,
       part_size = c.part_size, parts = c.parts, leader_id = c.leader, received = 0,
       crc64nvme = NULL, object_key = NULL, sha256 = NULL, version_id = NULL,
       multipart_id = NULL, ordinal = DEFAULT, moved_at = now()
  FROM jsonb_to_recordset(%(rows)s::jsonb) AS c(
       id uuid, attempt int, path text, folded text, size bigint, claimed text, content_type text,
       modified_at timestamptz, captured_at timestamptz, latitude float8, longitude float8,
       part_size bigint, parts int, leader uuid)
 WHERE u.organization_id = %(organization)s AND u.id = c.id
   AND c.id BETWEEN '00000000-0000-0000-0000-000000000000'
                AND 'ffffffff-ffff-ffff-ffff-ffffffffffff';

-- name: still_silent
-- As silent_uploads in system.sql, of uploads that are locked by now. Whoever holds a batch is heard
-- of in it, so nobody is waited for; and nobody is heard of in those that are locked here.
WITH quiet AS MATERIALIZED (
    SELECT id FROM batches
     WHERE organization_id = %(organization)s AND touched_at < now() - %(silence)s
       AND id = ANY(ARRAY(SELECT DISTINCT batch_id FROM uploads
                           WHERE organization_id = %(organization)s AND id = ANY(%(ids)s::uuid[])))
       FOR NO KEY UPDATE SKIP LOCKED
)
SELECT u.id
  FROM uploads u
  JOIN quiet q ON q.id = u.batch_id
 WHERE u.organization_id = %(organization)s AND u.id = ANY(%(ids)s::uuid[])
   AND u.state IN ('declared', 'receiving') AND u.moved_at < now() - %(silence)s
   AND (u.leader_id IS NULL OR NOT EXISTS (
        SELECT FROM uploads l
         WHERE l.organization_id = u.organization_id AND l.id = u.leader_id
           AND (l.state IN ('sealing', 'checking', 'processing')
                OR l.moved_at >= now() - %(silence)s)));

-- name: drop_parts
DELETE FROM parts
 WHERE organization_id = %(organization)s AND upload_id = ANY(%(ids)s::uuid[]);

-- name: lock_twins
SELECT id, project_id, batch_id, key, path, path_folded, size, claimed_sha256, content_type,
       modified_at, captured_at, latitude, longitude, state, reason, detail, attempt, part_size,
       parts, leader_id, received, sha256, object_key, version_id, multipart_id
  FROM uploads
 WHERE leader_id = ANY(%(leaders)s::uuid[]) AND organization_id = %(organization)s
 ORDER BY ordinal
   FOR NO KEY UPDATE;

-- name: follow_leader
-- Who waits for nobody any more is to be sent, and has been quiet for no longer than that.
UPDATE uploads
   SET leader_id = %(leader)s,
       moved_at = CASE WHEN %(leader)s::uuid IS NULL THEN now() ELSE moved_at END
 WHERE organization_id = %(organization)s AND id = ANY(%(ids)s::uuid[]) AND state = 'declared';
