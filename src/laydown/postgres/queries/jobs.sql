-- name: add_jobs
INSERT INTO jobs (id, organization_id, kind, upload_id, object_key)
SELECT j.id, %(organization)s, j.kind, j.upload, j.object_key
  FROM jsonb_to_recordset(%(rows)s::jsonb) AS j(id uuid, kind text, upload uuid, object_key text);

-- name: claim_jobs
-- Fair: each organization with waiting jobs is visited, by a skip scan over the index, and gives
-- its oldest ones in turn (round by round). SKIP LOCKED lets workers claim side by side; the
-- lease, not the lock, outlives us.
WITH RECURSIVE tenants AS (
    (SELECT organization_id FROM jobs
      WHERE dead_at IS NULL AND leased_until IS NULL
      ORDER BY organization_id LIMIT 1)
    UNION ALL
    SELECT (SELECT j.organization_id FROM jobs j
             WHERE j.dead_at IS NULL AND j.leased_until IS NULL
               AND j.organization_id > t.organization_id
             ORDER BY j.organization_id LIMIT 1)
      FROM tenants t
     WHERE t.organization_id IS NOT NULL
), oldest AS (
    SELECT j.id, row_number() OVER (PARTITION BY t.organization_id ORDER BY j.run_at) AS round
      FROM tenants t
     CROSS JOIN LATERAL (
           SELECT id, run_at FROM jobs
            WHERE organization_id = t.organization_id
              AND dead_at IS NULL AND leased_until IS NULL AND run_at <= now()
            ORDER BY run_at
            LIMIT %(limit)s
              FOR UPDATE SKIP LOCKED) j
     WHERE t.organization_id IS NOT NULL
), chosen AS (
    SELECT id FROM oldest ORDER BY round LIMIT %(limit)s
)
UPDATE jobs
   SET leased_until = now() + %(lease)s, worker = %(worker)s, attempt = attempt + 1
 WHERE id IN (SELECT id FROM chosen)
RETURNING id, organization_id, kind, upload_id, object_key, attempt;

-- name: free_expired_leases
-- A worker died: its jobs wait again at once.
UPDATE jobs
   SET leased_until = NULL, worker = NULL
 WHERE id IN (SELECT id FROM jobs
               WHERE dead_at IS NULL AND leased_until < now()
                 FOR UPDATE SKIP LOCKED);

-- name: extend_leases
UPDATE jobs
   SET leased_until = now() + %(lease)s
 WHERE id = ANY(%(ids)s::uuid[]) AND worker = %(worker)s AND leased_until IS NOT NULL;

-- name: finish_jobs
DELETE FROM jobs WHERE id = ANY(%(ids)s::uuid[]) AND worker = %(worker)s;

-- name: fail_job
UPDATE jobs
   SET leased_until = NULL, worker = NULL, last_error = %(error)s,
       run_at = now() + coalesce(%(retry_in)s, interval '0'),
       dead_at = CASE WHEN %(retry_in)s::interval IS NULL THEN now() END
 WHERE id = %(id)s AND worker = %(worker)s;

-- name: list_jobs
-- Ids are UUIDv7, so their order is that of creation, and a cursor outlives its job.
SELECT id, kind, upload_id, attempt, run_at, created_at, last_error,
       CASE WHEN dead_at IS NOT NULL THEN 'dead'
            WHEN leased_until IS NOT NULL THEN 'running' ELSE 'waiting' END AS state
  FROM jobs
 WHERE organization_id = %(organization)s
   AND (%(after)s::uuid IS NULL OR id > %(after)s)
   AND CASE %(state)s::text
            WHEN 'dead' THEN dead_at IS NOT NULL
            WHEN 'running' THEN dead_at IS NULL AND leased_until IS NOT NULL
            WHEN 'waiting' THEN dead_at IS NULL AND leased_until IS NULL
            ELSE true END
 ORDER BY id
 LIMIT %(limit)s;

-- name: count_jobs
SELECT count(*) FILTER (WHERE dead_at IS NOT NULL) AS dead,
       count(*) FILTER (WHERE dead_at IS NULL AND leased_until IS NOT NULL) AS running,
       count(*) FILTER (WHERE dead_at IS NULL AND leased_until IS NULL) AS waiting,
       extract(epoch FROM now() - min(run_at) FILTER (
           WHERE dead_at IS NULL AND leased_until IS NULL AND run_at <= now()))::float8 AS oldest
  FROM jobs
 WHERE organization_id = %(organization)s;

-- name: revive_job
UPDATE jobs
   SET dead_at = NULL, attempt = 0, run_at = now(), last_error = NULL
 WHERE organization_id = %(organization)s AND id = %(id)s AND dead_at IS NOT NULL
RETURNING upload_id;

-- name: discard_job
DELETE FROM jobs
 WHERE organization_id = %(organization)s AND id = %(id)s AND dead_at IS NOT NULL
RETURNING id;

-- name: forget_dead_jobs
DELETE FROM jobs
 WHERE organization_id = %(organization)s AND upload_id = ANY(%(uploads)s::uuid[])
   AND dead_at IS NOT NULL;
