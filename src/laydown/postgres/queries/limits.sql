-- Buckets of requests, and what is forgotten of them and of kept answers, across organizations.

-- name: draw_units
INSERT INTO rate_buckets AS b (organization_id, bucket_id, full_at, drawn)
VALUES (%(organization)s, %(bucket)s,
        clock_timestamp() + %(units)s::int / %(rate)s::float8 * interval '1 second',
        %(units)s::int)
    ON CONFLICT (bucket_id, organization_id) DO UPDATE
   SET (full_at, drawn) = (
       SELECT f.full_at + n.units / %(rate)s::float8 * interval '1 second', n.units
         FROM (SELECT greatest(b.full_at, clock_timestamp()) AS full_at) AS f,
              LATERAL (SELECT %(burst)s - %(rate)s::float8
                       * extract(epoch FROM f.full_at - clock_timestamp())::float8 AS units) AS has,
              LATERAL (SELECT greatest(0, least(%(units)s::int, floor(has.units)))::int AS units) AS n)
RETURNING drawn,
          greatest(0, %(burst)s - %(rate)s::float8
                      * extract(epoch FROM full_at - clock_timestamp())::float8) AS left;

-- name: forget_buckets
-- A full one is as good as none.
DELETE FROM rate_buckets
 WHERE ctid = ANY(ARRAY(SELECT ctid FROM rate_buckets WHERE full_at <= now() LIMIT %(limit)s
                           FOR UPDATE SKIP LOCKED))
RETURNING bucket_id;

-- name: forget_replies
DELETE FROM replies
 WHERE (key_sha256, organization_id) IN (
       SELECT key_sha256, organization_id FROM replies
        WHERE forget_at <= now() ORDER BY forget_at LIMIT %(limit)s)
   AND forget_at <= now()  -- it may have been claimed again meanwhile
RETURNING organization_id;
