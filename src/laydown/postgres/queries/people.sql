-- name: organization_name
SELECT name FROM organizations WHERE id = %(organization)s;

-- name: add_member
INSERT INTO members (organization_id, id, name, email, email_folded, role)
VALUES (%(organization)s, %(id)s, %(name)s, %(email)s, %(email_folded)s, %(role)s)
ON CONFLICT (email_folded, organization_id) WHERE removed_at IS NULL DO NOTHING
RETURNING created_at;

-- name: get_member
SELECT m.id, m.name, m.email, m.issuer, m.subject, m.role, m.created_at,
       (SELECT jsonb_object_agg(r.project_id, r.role) FROM project_roles r
         WHERE r.member_id = m.id AND r.organization_id = m.organization_id) AS project_roles
  FROM members m
 WHERE m.id = %(id)s AND m.organization_id = %(organization)s AND m.removed_at IS NULL;

-- name: lock_member
SELECT FROM members WHERE id = %(id)s AND organization_id = %(organization)s FOR NO KEY UPDATE;

-- name: list_members
SELECT m.id, m.name, m.email, m.issuer, m.subject, m.role, m.created_at,
       (SELECT jsonb_object_agg(r.project_id, r.role) FROM project_roles r
         WHERE r.member_id = m.id AND r.organization_id = m.organization_id) AS project_roles
  FROM members m
 WHERE m.organization_id = %(organization)s AND m.removed_at IS NULL
   AND (%(after)s::uuid IS NULL OR m.id > %(after)s)
   AND (%(project)s::uuid IS NULL OR EXISTS (
        SELECT FROM project_roles r
         WHERE r.member_id = m.id AND r.project_id = %(project)s
           AND r.organization_id = m.organization_id))
 ORDER BY m.id
 LIMIT %(limit)s;

-- name: change_member
UPDATE members
   SET name = %(name)s, email = %(email)s, email_folded = %(email_folded)s, role = %(role)s
 WHERE id = %(id)s AND organization_id = %(organization)s AND removed_at IS NULL;

-- name: remove_member
UPDATE members SET removed_at = now()
 WHERE id = %(id)s AND organization_id = %(organization)s AND removed_at IS NULL;

-- name: forget_roles
DELETE FROM project_roles WHERE member_id = %(id)s AND organization_id = %(organization)s;

-- name: lock_owners
SELECT id FROM members
 WHERE organization_id = %(organization)s AND role = 'owner' AND removed_at IS NULL
 ORDER BY id
   FOR NO KEY UPDATE;

-- name: give_role
INSERT INTO project_roles (organization_id, member_id, project_id, role)
VALUES (%(organization)s, %(member)s, %(project)s, %(role)s)
ON CONFLICT (member_id, project_id, organization_id) DO UPDATE SET role = excluded.role;

-- name: take_role
DELETE FROM project_roles
 WHERE member_id = %(member)s AND project_id = %(project)s AND organization_id = %(organization)s;

-- name: add_token
INSERT INTO tokens (
    organization_id, id, member_id, name, secret_sha256, most, only_project_id, expires_at)
VALUES (%(organization)s, %(id)s, %(member)s, %(name)s, %(secret_sha256)s, %(most)s, %(only)s,
        %(expires_at)s)
RETURNING id, member_id, name, most, only_project_id, created_at, expires_at, revoked_at,
          last_used_at;

-- name: list_tokens
SELECT id, member_id, name, most, only_project_id, created_at, expires_at, revoked_at, last_used_at
  FROM tokens
 WHERE organization_id = %(organization)s
   AND (%(member)s::uuid IS NULL OR member_id = %(member)s)
   AND (%(after)s::uuid IS NULL OR id > %(after)s)
 ORDER BY id
 LIMIT %(limit)s;

-- name: get_token
SELECT id, member_id, name, most, only_project_id, created_at, expires_at, revoked_at, last_used_at
  FROM tokens
 WHERE id = %(id)s AND organization_id = %(organization)s;

-- name: revoke_token
UPDATE tokens SET revoked_at = now()
 WHERE id = %(id)s AND organization_id = %(organization)s AND revoked_at IS NULL;

-- name: add_link
INSERT INTO links (
    organization_id, id, project_id, folder, label, secret_sha256, most_files, most_bytes,
    expires_at)
VALUES (%(organization)s, %(id)s, %(project)s, %(folder)s, %(label)s, %(secret_sha256)s,
        %(most_files)s, %(most_bytes)s, %(expires_at)s)
RETURNING id, project_id, folder, label, most_files, most_bytes, created_at, expires_at,
          revoked_at, last_used_at;

-- name: list_links
SELECT id, project_id, folder, label, most_files, most_bytes, created_at, expires_at, revoked_at,
       last_used_at
  FROM links
 WHERE project_id = %(project)s AND organization_id = %(organization)s
   AND (%(after)s::uuid IS NULL OR id > %(after)s)
 ORDER BY id
 LIMIT %(limit)s;

-- name: get_link
SELECT id, project_id, folder, label, most_files, most_bytes, created_at, expires_at, revoked_at,
       last_used_at
  FROM links
 WHERE id = %(id)s AND organization_id = %(organization)s;

-- name: lock_link
SELECT FROM links WHERE id = %(id)s AND organization_id = %(organization)s FOR NO KEY UPDATE;

-- name: revoke_link
UPDATE links SET revoked_at = now()
 WHERE id = %(id)s AND organization_id = %(organization)s AND revoked_at IS NULL;

-- name: delivered_by
-- What was refused, taken back or given up takes no room.
SELECT count(*) AS files, coalesce(sum(u.size), 0)::bigint AS bytes
  FROM batches b
  JOIN uploads u ON u.batch_id = b.id AND u.organization_id = b.organization_id
 WHERE b.declared_by = %(principal)s AND b.organization_id = %(organization)s
   AND u.state IN ('declared', 'receiving', 'sealing', 'checking', 'processing', 'ready',
                   'duplicate');

-- name: use_sign_in
UPDATE sign_ins SET used_at = now()
 WHERE id = %(id)s AND organization_id = %(organization)s AND used_at IS NULL
   AND expires_at > now();

-- name: add_session
INSERT INTO sessions (organization_id, id, member_id, secret_sha256, expires_at)
VALUES (%(organization)s, %(id)s, %(member)s, %(secret_sha256)s, now() + %(life)s)
RETURNING expires_at;

-- name: end_session
UPDATE sessions SET ended_at = now()
 WHERE id = %(id)s AND organization_id = %(organization)s AND ended_at IS NULL;

-- name: note_deed
INSERT INTO audit (
    organization_id, id, deed, principal_id, name, token_id, address, request, subject_id,
    project_id, detail)
VALUES (%(organization)s, %(id)s, %(deed)s, %(principal)s, %(name)s, %(token)s, %(address)s,
        %(request)s, %(subject)s, %(project)s, %(detail)s::jsonb);

-- name: list_audit
-- Ids are UUIDv7, so their order is that of the deeds.
SELECT id, at, deed, principal_id, name, token_id, address, request, subject_id, project_id, detail
  FROM audit
 WHERE organization_id = %(organization)s
   AND (%(after)s::uuid IS NULL OR id < %(after)s)
   AND (%(deed)s::text IS NULL OR deed = %(deed)s)
   AND (%(principal)s::uuid IS NULL OR principal_id = %(principal)s)
   AND (%(subject)s::uuid IS NULL OR subject_id = %(subject)s)
   AND (%(project)s::uuid IS NULL OR project_id = %(project)s)
   AND (%(since)s::timestamptz IS NULL OR at >= %(since)s)
   AND (%(until)s::timestamptz IS NULL OR at < %(until)s)
 ORDER BY id DESC
 LIMIT %(limit)s;
