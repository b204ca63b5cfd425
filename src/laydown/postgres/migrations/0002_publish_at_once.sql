-- What is proven and leaves nothing to be made is ready at once: one update a file instead of two.

CREATE OR REPLACE FUNCTION upload_may_move(was upload_state, becomes upload_state) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE was
    WHEN 'declared' THEN becomes IN ('receiving', 'checking', 'duplicate', 'skipped', 'rejected', 'cancelled', 'expired')
    WHEN 'receiving' THEN becomes IN ('declared', 'sealing', 'cancelled', 'expired')
    WHEN 'sealing' THEN becomes IN ('checking', 'rejected', 'failed')
    WHEN 'checking' THEN becomes IN ('processing', 'ready', 'duplicate', 'skipped', 'rejected', 'failed')
    WHEN 'processing' THEN becomes IN ('ready', 'failed')
    WHEN 'rejected' THEN becomes = 'declared'
    WHEN 'expired' THEN becomes = 'declared'
    WHEN 'failed' THEN becomes = 'checking'
    ELSE false
END;
