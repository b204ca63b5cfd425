-- name: begin
BEGIN;

-- name: take_organization
-- Local to the transaction, so that a pooled connection carries nothing over.
SELECT set_config('laydown.organization', %(organization)s::text, true);

-- name: read_one_moment
SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY;
