-- Answers to requests that carry an Idempotency-Key.

-- name: claim_reply
-- No row back means that another request has the key. One whose time is over is as good as none:
-- an answer that was kept long enough, or a claim of a process that died over it.
INSERT INTO replies AS r (organization_id, key_sha256, fingerprint, claim, forget_at)
VALUES (%(organization)s, %(key)s, %(fingerprint)s, %(claim)s, now() + %(lease)s)
    ON CONFLICT (key_sha256, organization_id) DO UPDATE
   SET fingerprint = excluded.fingerprint, claim = excluded.claim, sealed = NULL,
       forget_at = excluded.forget_at
 WHERE r.forget_at <= now()
RETURNING r.claim;

-- name: get_reply
SELECT fingerprint, sealed
  FROM replies
 WHERE key_sha256 = %(key)s AND organization_id = %(organization)s AND forget_at > now();

-- name: keep_reply
UPDATE replies
   SET sealed = %(sealed)s, forget_at = now() + %(life)s
 WHERE key_sha256 = %(key)s AND organization_id = %(organization)s AND claim = %(claim)s;

-- name: release_reply
DELETE FROM replies
 WHERE key_sha256 = %(key)s AND organization_id = %(organization)s AND claim = %(claim)s
   AND sealed IS NULL;
