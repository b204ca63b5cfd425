"""I8, the invariant of quotas: what is counted as used is what a recount of all uploads finds."""

MISCOUNTED = """
WITH kept AS (
    SELECT organization_id, project_id, sum(bytes) AS bytes, sum(files) AS files,
           sum(uploads) AS uploads
      FROM (SELECT organization_id, project_id, bytes, files, uploads FROM usage
            UNION ALL
            SELECT organization_id, project_id, bytes, files, uploads FROM usage_changes) AS part
     GROUP BY organization_id, project_id
), counted AS (
    SELECT u.organization_id, u.project_id, sum(of.bytes) AS bytes, sum(of.files) AS files,
           sum(of.uploads) AS uploads
      FROM uploads u CROSS JOIN LATERAL usage_of(u.state, u.leader_id, u.size) AS of
     GROUP BY u.organization_id, u.project_id
)
SELECT project_id, kept.bytes, counted.bytes, kept.files, counted.files, kept.uploads,
       counted.uploads
  FROM kept FULL JOIN counted USING (organization_id, project_id)
 WHERE (coalesce(kept.bytes, 0), coalesce(kept.files, 0), coalesce(kept.uploads, 0))
    <> (coalesce(counted.bytes, 0), coalesce(counted.files, 0), coalesce(counted.uploads, 0))
"""
"""Finds the projects of a database for which that isn't so: kept and counted, side by side."""

AS_BEFORE_QUOTAS = (
    "DROP TRIGGER uploads_declared ON uploads",
    "DROP TRIGGER uploads_moved ON uploads",
    "DROP FUNCTION note_usage_declared, note_usage_moved, usage_of",
    "DROP TABLE quotas, usage, usage_changes",
    "DELETE FROM schema_migrations WHERE number = 9",
)
"""What makes a database as it was before there were quotas."""
