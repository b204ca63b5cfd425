-- Quotas, and what is used of them. Usage is a function of the uploads alone; it is kept as sums, so
-- that asking for it costs the same however many there are.

-- What one upload uses: while it is in flight or published, its bytes (a waiting twin has none) and
-- one file (a linked one too); in flight, one of the uploads under way at once.
CREATE FUNCTION usage_of(state upload_state, leader uuid, size bigint)
RETURNS TABLE (bytes bigint, files integer, uploads integer)
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT CASE WHEN state IN ('declared', 'receiving', 'sealing', 'checking', 'processing', 'ready')
                     AND leader IS NULL
                THEN size ELSE 0 END,
           CASE WHEN state IN ('declared', 'receiving', 'sealing', 'checking', 'processing', 'ready',
                               'duplicate')
                THEN 1 ELSE 0 END,
           CASE WHEN state IN ('declared', 'receiving', 'sealing', 'checking', 'processing')
                THEN 1 ELSE 0 END;
END;

-- What a project, or with none the whole organization, may use. Null is as much as it likes.
CREATE TABLE quotas (
    organization_id uuid NOT NULL REFERENCES organizations,
    project_id      uuid,
    most_bytes      bigint CHECK (most_bytes >= 0),
    most_files      bigint CHECK (most_files >= 0),
    most_uploads    bigint CHECK (most_uploads >= 0),
    FOREIGN KEY (organization_id, project_id) REFERENCES projects,
    CONSTRAINT one_quota_a_place UNIQUE NULLS NOT DISTINCT (organization_id, project_id),
    CONSTRAINT a_quota_limits CHECK (num_nonnulls(most_bytes, most_files, most_uploads) > 0)
);

-- What is used: the sums of `usage`, which only the sweeper writes, and the changes that it has not
-- folded into them yet. A change is a new row, so that transactions of one organization don't wait
-- for each other.
CREATE TABLE usage (
    organization_id uuid NOT NULL,
    project_id      uuid NOT NULL,
    bytes           bigint NOT NULL,
    files           bigint NOT NULL,
    uploads         bigint NOT NULL,
    PRIMARY KEY (organization_id, project_id),
    FOREIGN KEY (organization_id, project_id) REFERENCES projects
);

CREATE TABLE usage_changes (
    organization_id uuid NOT NULL,
    id              bigint GENERATED ALWAYS AS IDENTITY,
    project_id      uuid NOT NULL,
    bytes           bigint NOT NULL,
    files           bigint NOT NULL,
    uploads         bigint NOT NULL,
    PRIMARY KEY (organization_id, id)
);

-- A statement notes the difference it makes, once a project, and nothing where there is none: most
-- moves, the arrival of a file among them, change no sum.
CREATE FUNCTION note_usage_declared() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO usage_changes (organization_id, project_id, bytes, files, uploads)
    SELECT d.organization_id, d.project_id, sum(u.bytes), sum(u.files), sum(u.uploads)
      FROM declared d CROSS JOIN LATERAL usage_of(d.state, d.leader_id, d.size) u
     GROUP BY d.organization_id, d.project_id
    HAVING sum(u.files) <> 0;
    RETURN NULL;
END
$$;

CREATE FUNCTION note_usage_moved() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    -- The arrival of bytes must cost next to nothing. A glance tells: what was in flight with bytes
    -- of its own still is, and is as large.
    IF NOT EXISTS (SELECT FROM was w CROSS JOIN LATERAL usage_of(w.state, w.leader_id, w.size) u
                    WHERE u.uploads = 0 OR w.leader_id IS NOT NULL)
       AND NOT EXISTS (SELECT FROM became b
                        CROSS JOIN LATERAL usage_of(b.state, b.leader_id, b.size) u
                        WHERE u.uploads = 0 OR b.leader_id IS NOT NULL)
       AND (SELECT sum(size) FROM was) IS NOT DISTINCT FROM (SELECT sum(size) FROM became) THEN
        RETURN NULL;
    END IF;
    INSERT INTO usage_changes (organization_id, project_id, bytes, files, uploads)
    SELECT c.organization_id, c.project_id, sum(c.sign * u.bytes), sum(c.sign * u.files),
           sum(c.sign * u.uploads)
      FROM (SELECT organization_id, project_id, state, leader_id, size, 1 AS sign FROM became
            UNION ALL
            SELECT organization_id, project_id, state, leader_id, size, -1 FROM was) c
     CROSS JOIN LATERAL usage_of(c.state, c.leader_id, c.size) u
     GROUP BY c.organization_id, c.project_id
    HAVING sum(c.sign * u.bytes) <> 0 OR sum(c.sign * u.files) <> 0
        OR sum(c.sign * u.uploads) <> 0;
    RETURN NULL;
END
$$;

CREATE TRIGGER uploads_declared
    AFTER INSERT ON uploads REFERENCING NEW TABLE AS declared
    FOR EACH STATEMENT EXECUTE FUNCTION note_usage_declared();

CREATE TRIGGER uploads_moved
    AFTER UPDATE ON uploads REFERENCING OLD TABLE AS was NEW TABLE AS became
    FOR EACH STATEMENT EXECUTE FUNCTION note_usage_moved();

-- What was there before; making the triggers has locked out whoever would change it meanwhile.
INSERT INTO usage (organization_id, project_id, bytes, files, uploads)
SELECT d.organization_id, d.project_id, sum(u.bytes), sum(u.files), sum(u.uploads)
  FROM uploads d CROSS JOIN LATERAL usage_of(d.state, d.leader_id, d.size) u
 GROUP BY d.organization_id, d.project_id;

DO $$
DECLARE
    tenant text;
BEGIN
    FOREACH tenant IN ARRAY ARRAY['quotas', 'usage', 'usage_changes'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', tenant);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', tenant);
        EXECUTE format(
            'CREATE POLICY own_rows ON %I TO laydown_app
                 USING (organization_id = current_organization())
                 WITH CHECK (organization_id = current_organization())', tenant);
    END LOOP;
END
$$;

GRANT SELECT, INSERT, UPDATE, DELETE ON quotas TO laydown_app;
GRANT SELECT ON usage TO laydown_app;
GRANT SELECT, INSERT ON usage_changes TO laydown_app;

-- The sweeper folds changes into sums.
GRANT SELECT, INSERT, UPDATE (bytes, files, uploads) ON usage TO laydown_system;
GRANT SELECT, DELETE ON usage_changes TO laydown_system;
CREATE POLICY all_rows ON usage TO laydown_system USING (true) WITH CHECK (true);
CREATE POLICY all_rows ON usage_changes TO laydown_system USING (true) WITH CHECK (true);
