-- name: queue_up
-- Held until the connection closes; the key is the ASCII of "laydown!".
SELECT pg_advisory_lock(7809656701110939169);

-- name: limit_waiting
-- A migration that waits for a lock makes everybody behind it wait too. Said once it is our turn: the
-- limit is one of the queue as well, and whoever is before us may take its time.
SET lock_timeout = '5s';

-- name: keep_history
CREATE TABLE IF NOT EXISTS schema_migrations (
    number     integer PRIMARY KEY,
    applied_at timestamptz NOT NULL DEFAULT now()
);

-- name: has_history
SELECT to_regclass('schema_migrations') IS NOT NULL;

-- name: applied
SELECT number FROM schema_migrations;

-- name: has_floor
SELECT to_regclass('schema_floor') IS NOT NULL;

-- name: floor
SELECT least FROM schema_floor;

-- name: note_applied
INSERT INTO schema_migrations (number) VALUES (%(number)s);

-- name: name_login
SELECT set_config('laydown.login', %(login)s, false);

-- name: admit_login
-- What is no value can't be a parameter of a statement; a block takes it from a setting.
DO $$
DECLARE
    login text := current_setting('laydown.login');
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = login) THEN
        EXECUTE 'CREATE ROLE ' || quote_ident(login) || ' LOGIN NOCREATEDB NOCREATEROLE NOBYPASSRLS';
    END IF;
    EXECUTE 'GRANT laydown_app, laydown_system TO ' || quote_ident(login);
    -- On RDS whoever is in this role logs in with a token, and with nothing else.
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'rds_iam') THEN
        EXECUTE 'GRANT rds_iam TO ' || quote_ident(login);
    END IF;
END
$$;

-- name: refused_roles
-- Roles that whoever connects may not take on: those that aren't there too.
SELECT needed.name
  FROM unnest(ARRAY['laydown_app', 'laydown_system']) AS needed(name)
  LEFT JOIN pg_roles r ON r.rolname = needed.name
 WHERE r.oid IS NULL OR NOT pg_has_role(current_user, r.oid, 'MEMBER');
