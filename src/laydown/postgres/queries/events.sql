-- name: number_events
-- The last statement before the commit: whoever holds the head's row commits next, so numbers
-- are dense and follow the order of commits.
WITH head AS (
    UPDATE event_heads
       SET number = number + %(count)s
     WHERE organization_id = %(organization)s
    RETURNING number - %(count)s AS base
)
INSERT INTO events (organization_id, number, at, kind, batch_id, upload_id, state, reason, detail)
SELECT %(organization)s, head.base + e.ordinality, clock_timestamp(), e.kind, e.batch, e.upload,
       e.state::upload_state, e.reason, e.detail
  FROM head,
       ROWS FROM (jsonb_to_recordset(%(rows)s::jsonb) AS (
           kind text, batch uuid, upload uuid, state text, reason text, detail text))
       WITH ORDINALITY AS e;

-- name: events_of_upload
SELECT e.number, e.at, e.kind, e.batch_id, e.upload_id, e.state, e.reason, e.detail,
       u.key, u.path
  FROM events e
  JOIN uploads u ON u.organization_id = e.organization_id AND u.id = e.upload_id
 WHERE e.upload_id = %(upload)s AND e.organization_id = %(organization)s
 ORDER BY e.number;

-- name: get_head
SELECT number FROM event_heads WHERE organization_id = %(organization)s;

-- name: all_heads
SELECT organization_id, number FROM event_heads;

-- name: events_since
SELECT e.number, e.at, e.kind, e.batch_id, e.upload_id, e.state, e.reason, e.detail,
       u.key, u.path
  FROM events e
  LEFT JOIN uploads u ON u.organization_id = e.organization_id AND u.id = e.upload_id
 WHERE e.organization_id = %(organization)s AND e.number > %(number)s
 ORDER BY e.number
 LIMIT %(limit)s;
