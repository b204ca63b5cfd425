-- What is written down of every organization's queue, and of what settled.

-- name: sampling_turn
-- Whoever samples twice at once would count twice. The first key is the ASCII of "layd"; offices
-- have small numbers.
SELECT pg_advisory_xact_lock(1818327396, 1000);

-- name: take_samples
-- Events are counted once, after those that the sample before has. So many at most are caught up
-- with, should nobody have looked for long: the statement must end.
WITH job AS (
    SELECT organization_id,
           count(*) FILTER (WHERE dead_at IS NULL AND leased_until IS NULL) AS waiting,
           count(*) FILTER (WHERE dead_at IS NULL AND leased_until IS NOT NULL) AS running,
           count(*) FILTER (WHERE dead_at IS NOT NULL) AS dead,
           now() - min(run_at) FILTER (
               WHERE dead_at IS NULL AND leased_until IS NULL AND run_at <= now()) AS oldest
      FROM jobs
     GROUP BY organization_id
), look AS (
    SELECT h.organization_id, h.number,
           greatest(coalesce(last.number, 0), h.number - %(most)s) AS counted
      FROM event_heads h
      LEFT JOIN LATERAL (
           SELECT s.number FROM samples s
            WHERE s.organization_id = h.organization_id
            ORDER BY s.minute DESC LIMIT 1) AS last ON true
), sampled AS (
    INSERT INTO samples AS s (organization_id, minute, number, waiting, running, dead, oldest)
    SELECT l.organization_id, date_trunc('minute', now()), l.number, coalesce(j.waiting, 0),
           coalesce(j.running, 0), coalesce(j.dead, 0), coalesce(j.oldest, interval '0')
      FROM look l
      LEFT JOIN job j ON j.organization_id = l.organization_id
    ON CONFLICT (organization_id, minute)
        DO UPDATE SET number = excluded.number,
                      waiting = greatest(s.waiting, excluded.waiting),
                      running = greatest(s.running, excluded.running),
                      dead = excluded.dead,
                      oldest = greatest(s.oldest, excluded.oldest)
), settled AS MATERIALIZED (
    SELECT l.organization_id, c.minute, c.state, c.reason, c.files, c.bytes
      FROM look l
     CROSS JOIN LATERAL outcomes_between(l.organization_id, l.counted, l.number) AS c
     WHERE l.number > l.counted
), kept AS (
    INSERT INTO outcomes AS o (organization_id, minute, state, reason, files, bytes)
    SELECT organization_id, minute, state, reason, files, bytes FROM settled
        ON CONFLICT (organization_id, minute, state, reason)
        DO UPDATE SET files = o.files + excluded.files, bytes = o.bytes + excluded.bytes
)
SELECT state, nullif(reason, '') AS reason, sum(files)::bigint AS files, sum(bytes)::bigint AS bytes
  FROM settled
 GROUP BY state, reason;

-- name: survey_now
-- Of the index of what may still be sent only the last hour is read: what rests for longer comes
-- slowly, if at all.
SELECT job.waiting, job.running, job.dead, coalesce(job.oldest, 0)::float8 AS oldest,
       us.files + coming.files AS announced, us.overdue
  FROM (SELECT count(*) FILTER (WHERE dead_at IS NULL AND leased_until IS NULL) AS waiting,
               count(*) FILTER (WHERE dead_at IS NULL AND leased_until IS NOT NULL) AS running,
               count(*) FILTER (WHERE dead_at IS NOT NULL) AS dead,
               extract(epoch FROM now() - min(run_at) FILTER (
                   WHERE dead_at IS NULL AND leased_until IS NULL AND run_at <= now())) AS oldest
          FROM jobs) AS job
 CROSS JOIN (
       SELECT count(*) AS files,
              count(*) FILTER (WHERE moved_at < now() - %(patience)s) AS overdue
         FROM uploads
        WHERE state IN ('sealing', 'checking', 'processing')) AS us
 CROSS JOIN (
       SELECT count(*) AS files
         FROM uploads
        WHERE state IN ('declared', 'receiving') AND moved_at > now() - interval '1 hour'
       ) AS coming;

-- name: survey_lives
-- Numbers are dense: of as many strata of them as are to be asked, each gives one, at an arbitrary
-- place, and that one stands for all of its stratum.
WITH look AS MATERIALIZED (
    SELECT h.organization_id, h.number AS last,
           greatest(coalesce(last.number, 0), h.number - %(most)s) AS first
      FROM event_heads h
      LEFT JOIN LATERAL (
           SELECT s.number FROM samples s
            WHERE s.organization_id = h.organization_id
            ORDER BY s.minute DESC LIMIT 1) AS last ON true
     WHERE h.number > coalesce(last.number, 0)
), stratum AS MATERIALIZED (
    SELECT greatest(1, ceil(sum(last - first) / %(measured)s))::bigint AS width FROM look
), asked AS MATERIALIZED (
    SELECT l.organization_id, s.width, n - abs(hashint8(n)::bigint) %% s.width AS number
      FROM stratum s
     CROSS JOIN look l
     CROSS JOIN LATERAL generate_series(l.last, l.first + 1, -s.width) AS n
     WHERE n - abs(hashint8(n)::bigint) %% s.width > l.first
), ended AS MATERIALIZED (
    SELECT a.organization_id, a.width, a.number, e.upload_id
      FROM asked a
     CROSS JOIN LATERAL (
          SELECT upload_id, kind, state FROM events
           WHERE organization_id = a.organization_id AND number = a.number OFFSET 0) AS e
     WHERE e.kind = 'moved' AND e.state IN ('ready', 'duplicate', 'rejected', 'failed')
)
SELECT e.width, t.states, t.moments, extract(epoch FROM u.declared_at)::float8 AS declared
  FROM ended e
 CROSS JOIN LATERAL (
      SELECT declared_at FROM uploads
       WHERE organization_id = e.organization_id AND id = e.upload_id OFFSET 0) AS u
 CROSS JOIN LATERAL (
      SELECT array_agg(state::text ORDER BY number) AS states,
             array_agg(extract(epoch FROM at)::float8 ORDER BY number) AS moments
        FROM events
       WHERE upload_id = e.upload_id AND organization_id = e.organization_id
         AND number <= e.number AND state IS NOT NULL) AS t;

-- name: survey_batches
-- A batch ends with the last of its files to settle, or when it is closed after that: one of these
-- events is new then, and of its files none is unsettled.
WITH look AS MATERIALIZED (
    SELECT h.organization_id, h.number AS last,
           greatest(coalesce(last.number, 0), h.number - %(most)s) AS first
      FROM event_heads h
      LEFT JOIN LATERAL (
           SELECT s.number FROM samples s
            WHERE s.organization_id = h.organization_id
            ORDER BY s.minute DESC LIMIT 1) AS last ON true
     WHERE h.number > coalesce(last.number, 0)
), touched AS MATERIALIZED (
    SELECT e.organization_id, e.batch_id, max(e.at) AS at
      FROM look l
      JOIN events e ON e.organization_id = l.organization_id
                   AND e.number > l.first AND e.number <= l.last
     WHERE e.kind = 'closed'
        OR (e.kind = 'moved'
            AND e.state IN ('ready', 'duplicate', 'skipped', 'rejected', 'cancelled', 'expired',
                            'failed'))
     GROUP BY e.organization_id, e.batch_id
)
SELECT extract(epoch FROM t.at - b.created_at)::float8 AS seconds
  FROM touched t
  JOIN batches b ON b.organization_id = t.organization_id AND b.id = t.batch_id
 WHERE b.closed_at IS NOT NULL
   AND NOT EXISTS (
       SELECT FROM uploads u
        WHERE u.batch_id = t.batch_id AND u.organization_id = t.organization_id
          AND u.state IN ('declared', 'receiving', 'sealing', 'checking', 'processing'));

-- name: forget_samples
DELETE FROM samples
 WHERE (organization_id, minute) IN (
       SELECT organization_id, minute FROM samples
        WHERE minute < now() - %(life)s ORDER BY minute LIMIT %(limit)s)
RETURNING minute;

-- name: forget_outcomes
DELETE FROM outcomes
 WHERE (organization_id, minute, state, reason) IN (
       SELECT organization_id, minute, state, reason FROM outcomes
        WHERE minute < now() - %(life)s ORDER BY minute LIMIT %(limit)s)
RETURNING minute;
