-- name: count_outcomes
-- The sums that were written down, and what happened since: so many events at most.
WITH last AS MATERIALIZED (
    SELECT greatest(h.number - %(most)s, coalesce((
               SELECT s.number FROM samples s
                WHERE s.organization_id = %(organization)s
                ORDER BY s.minute DESC LIMIT 1), 0)) AS counted,
           h.number
      FROM event_heads h
     WHERE h.organization_id = %(organization)s
)
SELECT state, nullif(reason, '') AS reason, sum(files)::bigint AS files, sum(bytes)::bigint AS bytes
  FROM (SELECT minute, state, reason, files, bytes
          FROM outcomes
         WHERE organization_id = %(organization)s
        UNION ALL
        SELECT c.minute, c.state, c.reason, c.files, c.bytes
          FROM last CROSS JOIN LATERAL outcomes_between(
               %(organization)s, last.counted, last.number) AS c) AS outcome
 WHERE minute >= %(since)s
 GROUP BY state, reason
 ORDER BY files DESC, state, reason;

-- name: time_stages
-- Numbers are dense: of as many strata of them as are to be asked, each gives one, at an arbitrary
-- place, because what happens to files in turns must not fall in step with us. Where there are
-- no more events than that, each is asked. OFFSET 0 has rows looked up one by one, whatever the
-- planner thinks of tables it doesn't know yet.
WITH ends AS MATERIALIZED (
    SELECT h.number AS last,
           coalesce((SELECT s.number FROM samples s
                      WHERE s.organization_id = %(organization)s AND s.minute < %(since)s
                      ORDER BY s.minute DESC LIMIT 1), 0) AS first
      FROM event_heads h
     WHERE h.organization_id = %(organization)s
), stratum AS MATERIALIZED (
    SELECT greatest(1, (last - first + %(most)s - 1) / %(most)s) AS width, first, last FROM ends
), asked AS MATERIALIZED (
    SELECT n - abs(hashint8(n)::bigint) %% s.width AS number
      FROM stratum s CROSS JOIN LATERAL generate_series(s.last, s.first + 1, -s.width) AS n
     WHERE n - abs(hashint8(n)::bigint) %% s.width > s.first
), left_ AS MATERIALIZED (
    SELECT e.number, e.upload_id
      FROM asked a
     CROSS JOIN LATERAL (
          SELECT number, upload_id, at, kind, state FROM events
           WHERE organization_id = %(organization)s AND number = a.number OFFSET 0) AS e
     WHERE e.at >= %(since)s AND e.kind = 'moved'
       AND e.state IN ('receiving', 'sealing', 'checking', 'processing', 'ready', 'duplicate',
                       'rejected', 'failed')
), trail AS (
    SELECT e.number, e.upload_id, e.state, e.at,
           lag(e.state) OVER life AS state_before, lag(e.at) OVER life AS at_before
      FROM events e
     WHERE e.organization_id = %(organization)s AND e.state IS NOT NULL
       AND e.upload_id = ANY(ARRAY(SELECT DISTINCT upload_id FROM left_))
    WINDOW life AS (PARTITION BY e.upload_id ORDER BY e.number)
), rest AS (
    SELECT coalesce(t.state_before, 'declared') AS stage,
           t.at - coalesce(t.at_before, u.declared_at) AS lasted,
           t.at - u.declared_at AS total, t.state
      FROM left_ l
      JOIN trail t ON t.number = l.number
     CROSS JOIN LATERAL (
          SELECT declared_at FROM uploads
           WHERE organization_id = %(organization)s AND id = l.upload_id OFFSET 0) AS u
)
SELECT stage, count(*) AS files,
       percentile_cont(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY seconds) AS seconds
  FROM (SELECT stage::text, extract(epoch FROM lasted)::float8 AS seconds
          FROM rest
         WHERE stage IN ('declared', 'receiving', 'sealing', 'checking', 'processing')
        UNION ALL
        SELECT 'total', extract(epoch FROM total)::float8
          FROM rest
         WHERE state IN ('ready', 'duplicate')) AS stage
 GROUP BY stage;

-- name: last_sample
SELECT max(minute) AS minute FROM samples WHERE organization_id = %(organization)s;

-- name: list_moments
-- How long files took is measured as in time_stages, on so many events of each step.
WITH queue AS MATERIALIZED (
    SELECT date_bin(%(step)s, minute, 'epoch') AS at, max(waiting) AS waiting,
           max(running) AS running, max(dead) AS dead, max(oldest) AS oldest, max(number) AS last
      FROM samples
     WHERE organization_id = %(organization)s AND minute >= %(since)s
     GROUP BY 1
), step AS (
    SELECT at, last,
           lag(last, 1, coalesce((SELECT s.number FROM samples s
                                   WHERE s.organization_id = %(organization)s
                                     AND s.minute < %(since)s
                                   ORDER BY s.minute DESC LIMIT 1), 0)) OVER (ORDER BY at) AS first
      FROM queue
), stratum AS MATERIALIZED (
    SELECT at, greatest(1, (last - first + %(most)s - 1) / %(most)s) AS width, first, last FROM step
), asked AS MATERIALIZED (
    SELECT s.at, n - abs(hashint8(n)::bigint) %% s.width AS number
      FROM stratum s CROSS JOIN LATERAL generate_series(s.last, s.first + 1, -s.width) AS n
     WHERE n - abs(hashint8(n)::bigint) %% s.width > s.first
), took AS (
    SELECT a.at, percentile_cont(ARRAY[0.5, 0.95]) WITHIN GROUP (
               ORDER BY extract(epoch FROM e.at - u.declared_at)::float8) AS seconds
      FROM asked a
     CROSS JOIN LATERAL (
          SELECT upload_id, at, kind, state FROM events
           WHERE organization_id = %(organization)s AND number = a.number OFFSET 0) AS e
     CROSS JOIN LATERAL (
          SELECT declared_at FROM uploads
           WHERE organization_id = %(organization)s AND id = e.upload_id OFFSET 0) AS u
     WHERE e.kind = 'moved' AND e.state IN ('ready', 'duplicate')
     GROUP BY a.at
), settled AS (
    SELECT date_bin(%(step)s, minute, 'epoch') AS at,
           sum(files) FILTER (WHERE state IN ('ready', 'duplicate')) AS files,
           sum(bytes) FILTER (WHERE state IN ('ready', 'duplicate')) AS bytes,
           sum(files) FILTER (WHERE state IN ('rejected', 'expired', 'failed')) AS failures
      FROM outcomes
     WHERE organization_id = %(organization)s AND minute >= %(since)s
     GROUP BY 1
)
SELECT q.at, q.waiting, q.running, q.dead, extract(epoch FROM q.oldest)::float8 AS oldest,
       coalesce(s.files, 0)::bigint AS files, coalesce(s.bytes, 0)::bigint AS bytes,
       coalesce(s.failures, 0)::bigint AS failures, t.seconds[1] AS median, t.seconds[2] AS slowest
  FROM queue q
  LEFT JOIN settled s ON s.at = q.at
  LEFT JOIN took t ON t.at = q.at
 ORDER BY q.at;

-- name: count_stuck
SELECT (SELECT count(*)
          FROM batches b
         CROSS JOIN LATERAL (
              SELECT FROM uploads
               WHERE organization_id = %(organization)s AND batch_id = b.id
                 AND state IN ('declared', 'receiving') AND moved_at < now() - %(silent)s
                 AND leader_id IS NULL OFFSET 0) AS u
         WHERE b.organization_id = %(organization)s AND b.closed_at IS NULL
           AND b.touched_at < now() - %(silent)s) AS silent,
       (SELECT count(*)
          FROM uploads
         WHERE organization_id = %(organization)s
           AND state IN ('sealing', 'checking', 'processing')
           AND moved_at < now() - %(stuck)s) AS stuck;

-- name: list_stuck
-- In order of their ids, which is about that of declaration.
WITH quiet AS (
    SELECT u.id, 'silent' AS plight
      FROM batches b
     CROSS JOIN LATERAL (
          SELECT id FROM uploads
           WHERE organization_id = %(organization)s AND batch_id = b.id
             AND state IN ('declared', 'receiving') AND moved_at < now() - %(silent)s
             AND leader_id IS NULL AND (%(after)s::uuid IS NULL OR id > %(after)s)
          OFFSET 0) AS u
     WHERE b.organization_id = %(organization)s AND b.closed_at IS NULL
       AND b.touched_at < now() - %(silent)s
    UNION ALL
    SELECT id, 'stuck'
      FROM uploads
     WHERE organization_id = %(organization)s
       AND state IN ('sealing', 'checking', 'processing') AND moved_at < now() - %(stuck)s
       AND (%(after)s::uuid IS NULL OR id > %(after)s)
     ORDER BY id
     LIMIT %(limit)s
), failed_job AS MATERIALIZED (
    SELECT DISTINCT ON (upload_id) upload_id, last_error
      FROM jobs
     WHERE organization_id = %(organization)s AND last_error IS NOT NULL
     ORDER BY upload_id, id DESC
)
SELECT q.plight, u.id, u.batch_id, u.project_id, u.path, u.size, u.received, u.state, u.moved_at,
       j.last_error
  FROM quiet q
  JOIN uploads u ON u.organization_id = %(organization)s AND u.id = q.id
  LEFT JOIN failed_job j ON j.upload_id = u.id AND q.plight = 'stuck'
 ORDER BY u.id;
