-- What workers ask of the jobs table, across organizations.
--
-- Everything is found through partial indexes and LIMITs, so that a claim costs the same whether
-- a hundred or a hundred thousand jobs wait. Ids go from one step to the next as an array made by
-- a subquery: the planner takes it for few values and looks them up by key, whatever it believes
-- of the table. What it must not use an index for is said in a way it can't match to one.

-- name: flush_lazily
-- What a crash of Postgres takes back of leases and finished jobs is only done again.
SELECT set_config('synchronous_commit', 'off', true);

-- name: free_expired_leases
-- A worker died: its jobs wait again at once, and are announced again where a queue announces.
UPDATE jobs
   SET leased_until = NULL, worker = NULL, sent_at = NULL
 WHERE id = ANY(ARRAY(SELECT id FROM jobs
                       WHERE dead_at IS NULL AND leased_until < now()
                       LIMIT 1000
                         FOR UPDATE SKIP LOCKED));

-- name: take_turns
-- The lock makes claims of one organization follow each other, or its jobs in flight could be
-- miscounted; who finds it taken leaves that organization alone, because it is being served. The
-- first key is the ASCII of "jobs". LIMIT keeps each question one look into the index; EXISTS
-- would be answered for all organizations at once.
WITH due AS MATERIALIZED (
    SELECT o.organization_id
      FROM organizations_waiting(%(after)s, %(most)s) AS o(organization_id)
     WHERE coalesce(
           (SELECT true FROM jobs
             WHERE organization_id = o.organization_id AND lane = 0
               AND dead_at IS NULL AND leased_until IS NULL AND run_at <= now()
             ORDER BY run_at LIMIT 1),
           (SELECT true FROM jobs
             WHERE organization_id = o.organization_id AND lane = 1
               AND dead_at IS NULL AND leased_until IS NULL AND run_at <= now()
             ORDER BY run_at LIMIT 1))
)
SELECT organization_id FROM due
 WHERE pg_try_advisory_xact_lock(1785684595, hashtext(organization_id::text));

-- name: claim_jobs
-- Fair: each organization gives in turn, none beyond its cap in flight, and within it the lanes
-- take turns, oldest first; *first_lane* says which begins, or claims of one job would only ever
-- see one lane. Whoever holds a row's lock is changing it, so it is left alone. The lease, not the
-- lock, outlives us.
WITH share AS MATERIALIZED (
    SELECT o.organization_id, least(%(limit)s::bigint, %(cap)s::bigint - held.number) AS room
      FROM unnest(%(organizations)s::uuid[]) AS o(organization_id)
     CROSS JOIN LATERAL (
           SELECT count(*) AS number
             FROM (SELECT FROM jobs
                    WHERE organization_id = o.organization_id
                      AND dead_at IS NULL AND leased_until IS NOT NULL
                    LIMIT %(cap)s) AS few) AS held
), candidate AS (
    SELECT s.room, j.id, j.run_at,
           row_number() OVER (PARTITION BY s.organization_id
                              ORDER BY j.place, abs(j.lane - %(first_lane)s::int)) AS turn
      FROM share s
     CROSS JOIN LATERAL (
           (SELECT id, 0 AS lane, run_at, row_number() OVER (ORDER BY run_at) AS place
              FROM jobs
             WHERE organization_id = s.organization_id AND lane = 0
               AND dead_at IS NULL AND leased_until IS NULL AND run_at <= now()
               AND kind = ANY(%(kinds)s)
             ORDER BY run_at
             LIMIT s.room)
           UNION ALL
           (SELECT id, 1, run_at, row_number() OVER (ORDER BY run_at)
              FROM jobs
             WHERE organization_id = s.organization_id AND lane = 1
               AND dead_at IS NULL AND leased_until IS NULL AND run_at <= now()
               AND kind = ANY(%(kinds)s)
             ORDER BY run_at
             LIMIT s.room)) AS j
), chosen AS (
    SELECT id FROM candidate WHERE turn <= room ORDER BY turn, run_at LIMIT %(limit)s
), locked AS (
    SELECT id FROM jobs
     WHERE id = ANY(ARRAY(SELECT id FROM chosen)) AND coalesce(dead_at, leased_until) IS NULL
       FOR UPDATE SKIP LOCKED
)
UPDATE jobs
   SET leased_until = now() + %(lease)s, worker = %(worker)s, attempt = attempt + 1
 WHERE id = ANY(ARRAY(SELECT id FROM locked))
RETURNING id, organization_id, kind, upload_id, object_key, attempt, trace;

-- name: claim_jobs_by_id
-- What a queue announced. Waits for whoever holds a row: it may be the relay, which only notes
-- that it sent this very announcement. In the order of ids, so that no two wait for each other.
WITH locked AS (
    SELECT id FROM jobs
     WHERE id = ANY(%(ids)s::uuid[]) AND dead_at IS NULL AND run_at <= now()
       AND coalesce(leased_until < now(), true) AND kind = ANY(%(kinds)s)
     ORDER BY id
       FOR UPDATE
)
UPDATE jobs
   SET leased_until = now() + %(lease)s, worker = %(worker)s, attempt = attempt + 1
 WHERE id = ANY(ARRAY(SELECT id FROM locked))
RETURNING id, organization_id, kind, upload_id, object_key, attempt, trace;

-- name: extend_leases
UPDATE jobs
   SET leased_until = now() + %(lease)s
 WHERE id = ANY(%(ids)s::uuid[]) AND worker = %(worker)s AND leased_until IS NOT NULL
RETURNING id;

-- name: finish_jobs
DELETE FROM jobs WHERE id = ANY(%(ids)s::uuid[]) AND worker = %(worker)s
RETURNING id;

-- name: fail_job
UPDATE jobs
   SET leased_until = NULL, worker = NULL, sent_at = NULL, last_error = %(error)s,
       run_at = now() + coalesce(%(retry_in)s, interval '0'),
       dead_at = CASE WHEN %(retry_in)s::interval IS NULL THEN now() END
 WHERE id = %(id)s AND worker = %(worker)s
RETURNING id;

-- name: postpone_jobs
-- Something they need is away: the attempt was none.
UPDATE jobs
   SET leased_until = NULL, worker = NULL, sent_at = NULL, last_error = %(why)s,
       run_at = now() + %(retry_in)s, attempt = greatest(attempt - 1, 0)
 WHERE id = ANY(%(ids)s::uuid[]) AND worker = %(worker)s
RETURNING id;
