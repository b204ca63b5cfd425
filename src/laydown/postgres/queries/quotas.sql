-- name: get_quotas
SELECT project_id, most_bytes, most_files, most_uploads
  FROM quotas
 WHERE organization_id = %(organization)s
   AND (project_id IS NULL OR project_id = ANY(%(projects)s::uuid[]));

-- name: lock_quotas
-- The organization's first, in one order for everybody.
SELECT project_id, most_bytes, most_files, most_uploads
  FROM quotas
 WHERE organization_id = %(organization)s
   AND (project_id IS NULL OR project_id = ANY(%(projects)s::uuid[]))
 ORDER BY project_id NULLS FIRST
   FOR NO KEY UPDATE;

-- name: set_quota
INSERT INTO quotas (organization_id, project_id, most_bytes, most_files, most_uploads)
VALUES (%(organization)s, %(project)s, %(bytes)s, %(files)s, %(uploads)s)
ON CONFLICT (organization_id, project_id)
    DO UPDATE SET most_bytes = excluded.most_bytes, most_files = excluded.most_files,
                  most_uploads = excluded.most_uploads;

-- name: drop_quota
DELETE FROM quotas
 WHERE organization_id = %(organization)s AND project_id IS NOT DISTINCT FROM %(project)s::uuid;

-- name: usage_now
-- Sums and what is not folded into them yet are read in one statement, so that nothing is in both
-- or in neither. The row without a project is the organization's.
SELECT project_id, sum(bytes)::bigint AS bytes, sum(files)::bigint AS files,
       sum(uploads)::bigint AS uploads
  FROM (SELECT project_id, bytes, files, uploads FROM usage
         WHERE organization_id = %(organization)s
        UNION ALL
        SELECT project_id, bytes, files, uploads FROM usage_changes
         WHERE organization_id = %(organization)s) AS part
 GROUP BY GROUPING SETS ((), (project_id))
HAVING grouping(project_id) = 1 OR project_id = ANY(%(projects)s::uuid[]);
