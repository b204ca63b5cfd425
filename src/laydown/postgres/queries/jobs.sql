-- name: add_jobs
-- Each takes the lane and the trace of its upload's batch, which is asked once a batch;
-- housekeeping is slow, and in no trace.
WITH job AS MATERIALIZED (
    SELECT j.id, j.kind, j.upload, j.object_key, j.is_urgent, u.batch_id
      FROM jsonb_to_recordset(%(rows)s::jsonb) AS j(
           id uuid, kind text, upload uuid, object_key text, is_urgent boolean)
      LEFT JOIN uploads u ON u.id = j.upload AND u.organization_id = %(organization)s
                         AND j.is_urgent
     WHERE j.id BETWEEN '00000000-0000-0000-0000-000000000000'
                    AND 'ffffffff-ffff-ffff-ffff-ffffffffffff'
), lane AS MATERIALIZED (
    SELECT d.batch_id, lane_of_batch(d.batch_id) AS lane, b.trace
      FROM (SELECT DISTINCT batch_id FROM job WHERE batch_id IS NOT NULL) AS d
      JOIN batches b ON b.organization_id = %(organization)s AND b.id = d.batch_id
)
INSERT INTO jobs (id, organization_id, kind, upload_id, object_key, lane, trace, run_at)
SELECT j.id, %(organization)s, j.kind, j.upload, j.object_key,
       coalesce(l.lane, CASE WHEN j.is_urgent THEN 0 ELSE 1 END), l.trace, now() + %(after)s
  FROM job j
  LEFT JOIN lane l ON l.batch_id = j.batch_id;

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
   SET dead_at = NULL, attempt = 0, run_at = now(), sent_at = NULL, last_error = NULL
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
