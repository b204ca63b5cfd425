-- name: add_project
INSERT INTO projects (organization_id, id, code, code_folded, name, time_zone, latitude, longitude)
VALUES (%(organization)s, %(id)s, %(code)s, %(code_folded)s, %(name)s, %(time_zone)s,
        %(latitude)s, %(longitude)s)
ON CONFLICT ON CONSTRAINT one_project_a_code DO NOTHING
RETURNING id, code, name, time_zone, latitude, longitude, created_at;

-- name: change_project
UPDATE projects
   SET name = %(name)s, time_zone = %(time_zone)s,
       latitude = %(latitude)s, longitude = %(longitude)s
 WHERE organization_id = %(organization)s AND id = %(id)s
RETURNING id, code, name, time_zone, latitude, longitude, created_at;

-- name: get_project
SELECT id, code, name, time_zone, latitude, longitude, created_at
  FROM projects
 WHERE organization_id = %(organization)s AND id = %(id)s;

-- name: list_projects
SELECT id, code, name, time_zone, latitude, longitude, created_at
  FROM projects
 WHERE organization_id = %(organization)s
   AND (%(visible)s::uuid[] IS NULL OR id = ANY(%(visible)s))
   AND (%(code)s::text IS NULL OR code_folded = %(code)s)
   AND (%(after)s::text IS NULL OR code_folded > %(after)s)
 ORDER BY code_folded
 LIMIT %(limit)s;

-- name: find_open_batch
SELECT id, project_id, reference, label, on_conflict, declared_by,
       principal_name(declared_by) AS declared_by_name, created_at, closed_at
  FROM batches
 WHERE organization_id = %(organization)s AND project_id = %(project)s
   AND declared_by = %(principal)s AND reference = %(reference)s AND closed_at IS NULL
   FOR NO KEY UPDATE;

-- name: add_batch
-- Two clients may open the same reference at once: the second finds the first one's.
INSERT INTO batches (organization_id, id, project_id, reference, label, on_conflict, declared_by,
                     trace)
VALUES (%(organization)s, %(id)s, %(project)s, %(reference)s, %(label)s, %(on_conflict)s,
        %(principal)s, %(trace)s)
ON CONFLICT (project_id, declared_by, reference) WHERE closed_at IS NULL DO NOTHING
RETURNING id, project_id, reference, label, on_conflict, declared_by,
          principal_name(declared_by) AS declared_by_name, created_at, closed_at;

-- name: count_open_batches
-- Of so many and no further; of one principal, or of all.
SELECT count(*) AS count
  FROM (SELECT FROM batches
         WHERE organization_id = %(organization)s AND closed_at IS NULL
           AND (%(principal)s::uuid IS NULL OR declared_by = %(principal)s)
         LIMIT %(most)s) AS few;

-- name: get_batch
SELECT id, project_id, reference, label, on_conflict, declared_by,
       principal_name(declared_by) AS declared_by_name, created_at, closed_at
  FROM batches
 WHERE organization_id = %(organization)s AND id = %(id)s;

-- name: lock_batch
SELECT id, project_id, reference, label, on_conflict, declared_by,
       principal_name(declared_by) AS declared_by_name, created_at, closed_at
  FROM batches
 WHERE organization_id = %(organization)s AND id = %(id)s
   FOR NO KEY UPDATE;

-- name: list_batches
-- Ids are UUIDv7, so their order is that of creation. Seen are those of projects where everybody's
-- are, and one's own.
SELECT id, project_id, reference, label, on_conflict, declared_by,
       principal_name(declared_by) AS declared_by_name, created_at, closed_at
  FROM batches
 WHERE organization_id = %(organization)s
   AND (%(project)s::uuid IS NULL OR project_id = %(project)s)
   AND (%(visible)s::uuid[] IS NULL OR project_id = ANY(%(visible)s)
        OR (declared_by = %(principal)s
            AND (%(own)s::uuid[] IS NULL OR project_id = ANY(%(own)s))))
   AND (%(after)s::uuid IS NULL OR id < %(after)s)
 ORDER BY id DESC
 LIMIT %(limit)s;

-- name: touch_batch
UPDATE batches
   SET touched_at = now(),
       closed_at = CASE WHEN %(close)s THEN coalesce(closed_at, now()) ELSE closed_at END
 WHERE organization_id = %(organization)s AND id = %(id)s
RETURNING id, project_id, reference, label, on_conflict, declared_by,
          principal_name(declared_by) AS declared_by_name, created_at, closed_at;

-- name: idle_batch
-- As idle_batches in system.sql, of a batch that is locked by now.
SELECT id
  FROM batches
 WHERE organization_id = %(organization)s AND id = %(id)s
   AND closed_at IS NULL AND touched_at < now() - %(silence)s
   AND NOT EXISTS (
       SELECT FROM uploads
        WHERE batch_id = %(id)s AND organization_id = %(organization)s
          AND state IN ('declared', 'receiving'));

-- name: tally_batch
SELECT state, reason, count(*) AS files, sum(size)::bigint AS bytes,
       sum(received)::bigint AS received, max(moved_at) AS moved_at
  FROM uploads
 WHERE batch_id = %(id)s AND organization_id = %(organization)s
 GROUP BY state, reason;
