-- What operators see over time. The event log knows what settled, and when; how much was waiting is
-- known only at the moment, so somebody has to look and write it down.

-- A minute of an organization's queue: the most there was at any look, and the number of the newest
-- event that is counted in `outcomes`.
CREATE TABLE samples (
    organization_id uuid NOT NULL REFERENCES organizations,
    minute          timestamptz NOT NULL,
    number          bigint NOT NULL,
    waiting         integer NOT NULL,
    running         integer NOT NULL,
    dead            integer NOT NULL,
    oldest          interval NOT NULL,
    PRIMARY KEY (organization_id, minute)
);

CREATE INDEX samples_old ON samples (minute);

-- What settled in a minute, by how it did. The reason is empty where there is none.
CREATE TABLE outcomes (
    organization_id uuid NOT NULL REFERENCES organizations,
    minute          timestamptz NOT NULL,
    state           upload_state NOT NULL,
    reason          text NOT NULL,
    files           bigint NOT NULL,
    bytes           bigint NOT NULL,
    PRIMARY KEY (organization_id, minute, state, reason)
);

CREATE INDEX outcomes_old ON outcomes (minute);

-- What is with us and moves slowly is found by how long it has rested. The index holds nothing else.
CREATE INDEX uploads_with_us ON uploads (organization_id, moved_at)
    WHERE state IN ('sealing', 'checking', 'processing');

-- What settled by events after one number up to another. What was settled as it was declared has no
-- event of its own, but that of the declaration, which the same transaction wrote. OFFSET 0 has the
-- uploads looked up one by one, whatever the planner thinks: it must not read all there are.
CREATE FUNCTION outcomes_between(organization uuid, after bigint, upto bigint)
RETURNS TABLE (minute timestamptz, state upload_state, reason text, files bigint, bytes bigint)
LANGUAGE sql STABLE
BEGIN ATOMIC
    WITH said AS MATERIALIZED (
        SELECT e.at, e.kind, e.batch_id, e.upload_id, e.state, e.reason, e.xmin AS writer
          FROM events e
         WHERE e.organization_id = organization AND e.number > after AND e.number <= upto
           AND (e.kind = 'declared'
                OR (e.kind = 'moved'
                    AND e.state IN ('ready', 'duplicate', 'skipped', 'rejected', 'cancelled',
                                    'expired', 'failed')))
    ), settled AS (
        SELECT s.at, s.state, s.reason, u.size
          FROM said s
         CROSS JOIN LATERAL (
              SELECT size FROM uploads
               WHERE organization_id = organization AND id = s.upload_id OFFSET 0) AS u
         WHERE s.kind = 'moved'
        UNION ALL
        SELECT s.at, u.state, u.reason, u.size
          FROM (SELECT DISTINCT batch_id FROM said WHERE kind = 'declared') AS b
         CROSS JOIN LATERAL (
              SELECT state, reason, size, xmin AS writer FROM uploads
               WHERE organization_id = organization AND batch_id = b.batch_id
                 AND state IN ('ready', 'duplicate', 'skipped', 'rejected', 'cancelled', 'expired',
                               'failed')
                 AND moved_at = declared_at OFFSET 0) AS u
          JOIN said s ON s.kind = 'declared' AND s.batch_id = b.batch_id AND s.writer = u.writer
    )
    SELECT date_trunc('minute', s.at), s.state, coalesce(s.reason, ''), count(*), sum(s.size)
      FROM settled s
     GROUP BY 1, 2, 3;
END;

-- Counting begins now: what was settled before stays in the event log alone.
INSERT INTO samples (organization_id, minute, number, waiting, running, dead, oldest)
SELECT organization_id, date_trunc('minute', now()), number, 0, 0, 0, interval '0'
  FROM event_heads
 WHERE number > 0;

DO $$
DECLARE
    tenant text;
BEGIN
    FOREACH tenant IN ARRAY ARRAY['samples', 'outcomes'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', tenant);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', tenant);
        EXECUTE format(
            'CREATE POLICY own_rows ON %I TO laydown_app
                 USING (organization_id = current_organization())
                 WITH CHECK (organization_id = current_organization())', tenant);
        EXECUTE format(
            'CREATE POLICY all_rows ON %I TO laydown_system USING (true) WITH CHECK (true)', tenant);
    END LOOP;
END
$$;

GRANT SELECT ON samples, outcomes TO laydown_app;

-- Whoever holds the sweeper's office looks, and forgets what is old.
GRANT SELECT, INSERT, DELETE, UPDATE (number, waiting, running, dead, oldest)
    ON samples TO laydown_system;
GRANT SELECT, INSERT, DELETE, UPDATE (files, bytes) ON outcomes TO laydown_system;
