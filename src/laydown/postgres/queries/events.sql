-- name: number_events
-- One message with the commit: nobody waits for the head's row while its holder waits for us.
SELECT number_events(%(organization)s, %(rows)s::jsonb);
COMMIT;

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
