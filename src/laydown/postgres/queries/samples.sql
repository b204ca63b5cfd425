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
)
INSERT INTO outcomes AS o (organization_id, minute, state, reason, files, bytes)
SELECT l.organization_id, c.minute, c.state, c.reason, c.files, c.bytes
  FROM look l
 CROSS JOIN LATERAL outcomes_between(l.organization_id, l.counted, l.number) AS c
 WHERE l.number > l.counted
    ON CONFLICT (organization_id, minute, state, reason)
    DO UPDATE SET files = o.files + excluded.files, bytes = o.bytes + excluded.bytes;

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
