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

-- The last statement before the commit: whoever holds the head's row commits next, so numbers
-- are dense and follow the order of commits. A function, because its plan is kept although it is
-- called in one message with the commit, which can't be prepared.
CREATE FUNCTION number_events(organization uuid, said jsonb) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    WITH head AS (
        UPDATE event_heads
           SET number = number + jsonb_array_length(said)
         WHERE organization_id = organization
        RETURNING number - jsonb_array_length(said) AS base
    )
    INSERT INTO events (
        organization_id, number, at, kind, batch_id, upload_id, state, reason, detail)
    SELECT organization, head.base + e.ordinality, clock_timestamp(), e.kind, e.batch, e.upload,
           e.state::upload_state, e.reason, e.detail
      FROM head,
           ROWS FROM (jsonb_to_recordset(said) AS (
               kind text, batch uuid, upload uuid, state text, reason text, detail text))
           WITH ORDINALITY AS e;
END
$$;
