-- name: create_database
-- Run once by `postgres --single`, before the cluster is given its name: a cluster that
-- exists has its database. Locale and encoding come from the cluster.
CREATE DATABASE laydown OWNER postgres;

