-- name: limit_waiting
-- A migration that waits for a lock makes everybody behind it wait too.
SET lock_timeout = '5s';

-- name: queue_up
-- Held until the connection closes; the key is the ASCII of "laydown!".
SELECT pg_advisory_lock(7809656701110939169);

-- name: keep_history
CREATE TABLE IF NOT EXISTS schema_migrations (
    number     integer PRIMARY KEY,
    applied_at timestamptz NOT NULL DEFAULT now()
);

-- name: has_history
SELECT to_regclass('schema_migrations') IS NOT NULL;

-- name: applied
SELECT number FROM schema_migrations;

-- name: note_applied
INSERT INTO schema_migrations (number) VALUES (%(number)s);
