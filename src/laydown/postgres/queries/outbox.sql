-- What the relay asks: due jobs whose ids a queue has yet to carry.

-- name: forget_unheard
-- Announced long ago, and nobody came: the queue may have lost it. Saying it twice is harmless.
UPDATE jobs
   SET sent_at = NULL
 WHERE id = ANY(ARRAY(SELECT id FROM jobs
                       WHERE dead_at IS NULL AND leased_until IS NULL
                         AND sent_at < now() - %(patience)s
                       LIMIT 1000
                         FOR UPDATE SKIP LOCKED));

-- name: unsent_jobs
-- Shared out as claim_jobs does: organizations in turn, the lanes of each in turn, and none with
-- more than its cap announced and not done. What is announced stays at the front of an
-- organization's line, and the cap bounds how much of it is passed by.
WITH share AS MATERIALIZED (
    SELECT t.organization_id, least(%(limit)s::bigint, %(cap)s::bigint - announced.number) AS room
      FROM organizations_waiting(%(after)s, %(most)s) AS t(organization_id)
     CROSS JOIN LATERAL (
           SELECT count(*) AS number
             FROM (SELECT FROM jobs
                    WHERE organization_id = t.organization_id
                      AND dead_at IS NULL AND sent_at IS NOT NULL
                    LIMIT %(cap)s) AS few) AS announced
), candidate AS (
    SELECT s.organization_id, s.room, j.id, j.run_at, j.trace,
           row_number() OVER (PARTITION BY s.organization_id
                              ORDER BY j.place, abs(j.lane - %(first_lane)s::int)) AS turn
      FROM share s
     CROSS JOIN LATERAL (
           (SELECT id, 0 AS lane, run_at, trace, row_number() OVER (ORDER BY run_at) AS place
              FROM jobs
             WHERE organization_id = s.organization_id AND lane = 0 AND sent_at IS NULL
               AND dead_at IS NULL AND leased_until IS NULL AND run_at <= now()
             ORDER BY run_at
             LIMIT s.room)
           UNION ALL
           (SELECT id, 1, run_at, trace, row_number() OVER (ORDER BY run_at)
              FROM jobs
             WHERE organization_id = s.organization_id AND lane = 1 AND sent_at IS NULL
               AND dead_at IS NULL AND leased_until IS NULL AND run_at <= now()
             ORDER BY run_at
             LIMIT s.room)) AS j
)
SELECT id, organization_id, trace, now() AS asked_at
  FROM candidate
 WHERE turn <= room
 ORDER BY turn, run_at
 LIMIT %(limit)s;

-- name: mark_sent
-- What failed, was postponed or replayed since it was asked for is due at another time, and
-- stays to be announced again.
WITH locked AS (
    SELECT id FROM jobs
     WHERE id = ANY(%(ids)s::uuid[]) AND dead_at IS NULL
       AND run_at <= coalesce(%(asked_at)s, now())
     ORDER BY id
       FOR UPDATE
)
UPDATE jobs SET sent_at = now() WHERE id = ANY(ARRAY(SELECT id FROM locked));
