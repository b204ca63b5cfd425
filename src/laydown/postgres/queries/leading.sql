-- name: stand
-- The first key is the ASCII of "layd".
SELECT pg_try_advisory_lock(1818327396, %(office)s);

-- name: resign
SELECT pg_advisory_unlock(1818327396, %(office)s);

-- name: still_there
SELECT true;
