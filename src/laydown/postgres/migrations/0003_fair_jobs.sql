-- Jobs: small batches have a lane of their own, and a queue outside may announce what is due.

-- lane: 0 is the fast one, of batches with few files; 1 is for everything else.
-- sent_at: a queue carries the job's id since then; always null where workers read this table.
ALTER TABLE jobs
    ADD COLUMN lane smallint NOT NULL DEFAULT 0 CHECK (lane IN (0, 1)),
    ADD COLUMN sent_at timestamptz;

-- Which lane a batch's jobs take. It looks at so many files and no further, so that asking costs
-- the same whatever the batch's size: on a table without statistics the planner believes that a
-- batch has a handful, and would fetch and sort all of them unless it is kept from it.
CREATE FUNCTION lane_of_batch(batch uuid) RETURNS smallint
LANGUAGE sql STABLE
SET enable_bitmapscan = off
SET enable_sort = off
RETURN (
    SELECT CASE WHEN count(*) > 100 THEN 1 ELSE 0 END::smallint
      FROM (SELECT FROM uploads WHERE batch_id = batch ORDER BY ordinal LIMIT 101) AS few
);

DROP INDEX jobs_waiting;
CREATE INDEX jobs_waiting ON jobs (organization_id, lane, run_at)
    WHERE dead_at IS NULL AND leased_until IS NULL;

-- Organizations with waiting jobs, found by a skip scan over jobs_waiting that begins anywhere and
-- goes round once, so that each comes up even when there are more than one asks for.
CREATE FUNCTION organizations_waiting(after uuid, most integer) RETURNS SETOF uuid
LANGUAGE sql STABLE
BEGIN ATOMIC
    WITH RECURSIVE ahead AS (
        (SELECT organization_id, 1 AS place FROM jobs
          WHERE dead_at IS NULL AND leased_until IS NULL AND organization_id > after
          ORDER BY organization_id LIMIT 1)
        UNION ALL
        SELECT (SELECT j.organization_id FROM jobs j
                 WHERE j.dead_at IS NULL AND j.leased_until IS NULL
                   AND j.organization_id > a.organization_id
                 ORDER BY j.organization_id LIMIT 1), a.place + 1
          FROM ahead a
         WHERE a.organization_id IS NOT NULL AND a.place < most
    ), behind AS (
        (SELECT organization_id, 1 AS place FROM jobs
          WHERE dead_at IS NULL AND leased_until IS NULL AND organization_id <= after
          ORDER BY organization_id LIMIT 1)
        UNION ALL
        SELECT (SELECT j.organization_id FROM jobs j
                 WHERE j.dead_at IS NULL AND j.leased_until IS NULL
                   AND j.organization_id > b.organization_id AND j.organization_id <= after
                 ORDER BY j.organization_id LIMIT 1), b.place + 1
          FROM behind b
         WHERE b.organization_id IS NOT NULL AND b.place < most
    )
    SELECT organization_id
      FROM (SELECT organization_id FROM ahead UNION ALL SELECT organization_id FROM behind) AS found
     WHERE organization_id IS NOT NULL
     LIMIT most;
END;

-- How much of an organization is in flight: with workers, or announced and not done yet.
CREATE INDEX jobs_held ON jobs (organization_id) WHERE dead_at IS NULL AND leased_until IS NOT NULL;
CREATE INDEX jobs_announced ON jobs (organization_id) WHERE dead_at IS NULL AND sent_at IS NOT NULL;

-- Announced, and nobody came for it.
CREATE INDEX jobs_unheard ON jobs (sent_at)
    WHERE dead_at IS NULL AND leased_until IS NULL AND sent_at IS NOT NULL;
