-- name: begin
BEGIN;

-- name: take_organization
-- Local to the transaction, so that a pooled connection carries nothing over.
SELECT set_config('laydown.organization', %(organization)s::text, true);

-- name: read_one_moment
SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY;

-- name: probe_indexes
-- Without statistics the planner believes a project has a handful of documents, and would sort all
-- of them for each of many probes. Until the end of the transaction it doesn't.
SELECT set_config('enable_sort', 'off', true) AS sort,
       set_config('enable_bitmapscan', 'off', true) AS bitmap;
