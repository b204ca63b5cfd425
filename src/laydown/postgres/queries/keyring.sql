-- Whoever comes shows a secret, and its id finds what is kept of it before an organization is
-- known. Roles come along, so that a request costs one question.

-- name: token_credential
SELECT t.id, t.organization_id, t.secret_sha256, t.member_id, m.name, m.role, t.most,
       t.only_project_id,
       t.revoked_at IS NULL AND (t.expires_at IS NULL OR t.expires_at > now())
           AND m.removed_at IS NULL AS is_valid,
       coalesce(t.last_used_at > now() - interval '5 minutes', false) AS is_used,
       (SELECT jsonb_object_agg(r.project_id, r.role) FROM project_roles r
         WHERE r.member_id = m.id AND r.organization_id = m.organization_id) AS project_roles
  FROM tokens t
  JOIN members m ON m.id = t.member_id AND m.organization_id = t.organization_id
 WHERE t.id = %(id)s;

-- name: session_credential
SELECT s.id, s.organization_id, s.secret_sha256, s.member_id, m.name, m.role,
       NULL AS most, NULL AS only_project_id,
       s.ended_at IS NULL AND s.expires_at > now() AND m.removed_at IS NULL AS is_valid,
       coalesce(s.last_used_at > now() - interval '5 minutes', false) AS is_used,
       (SELECT jsonb_object_agg(r.project_id, r.role) FROM project_roles r
         WHERE r.member_id = m.id AND r.organization_id = m.organization_id) AS project_roles
  FROM sessions s
  JOIN members m ON m.id = s.member_id AND m.organization_id = s.organization_id
 WHERE s.id = %(id)s;

-- name: member_credential
SELECT m.id, m.organization_id, '\x'::bytea AS secret_sha256, m.id AS member_id, m.name, m.role,
       NULL AS most, NULL AS only_project_id, m.removed_at IS NULL AS is_valid, true AS is_used,
       (SELECT jsonb_object_agg(r.project_id, r.role) FROM project_roles r
         WHERE r.member_id = m.id AND r.organization_id = m.organization_id) AS project_roles
  FROM members m
 WHERE m.id = %(id)s AND m.organization_id = %(organization)s;

-- name: link_credential
SELECT id, organization_id, project_id, folder, label, secret_sha256, most_files, most_bytes,
       created_at, expires_at, revoked_at, last_used_at,
       revoked_at IS NULL AND expires_at > now() AS is_valid,
       coalesce(last_used_at > now() - interval '5 minutes', false) AS is_used
  FROM links
 WHERE id = %(id)s;

-- name: use_token
UPDATE tokens SET last_used_at = now() WHERE id = %(id)s;

-- name: use_session
UPDATE sessions SET last_used_at = now() WHERE id = %(id)s;

-- name: use_link
UPDATE links SET last_used_at = now() WHERE id = %(id)s;

-- name: add_organization
INSERT INTO organizations (id, name) VALUES (%(id)s, %(name)s) ON CONFLICT (name) DO NOTHING;

-- name: find_organization
SELECT id FROM organizations WHERE name = %(name)s;

-- name: add_event_head
INSERT INTO event_heads (organization_id) VALUES (%(organization)s) ON CONFLICT DO NOTHING;

-- name: find_owner
SELECT id FROM members
 WHERE organization_id = %(organization)s AND name = %(name)s AND role = 'owner'
   AND removed_at IS NULL
 ORDER BY created_at, id LIMIT 1;

-- name: add_owner
INSERT INTO members (organization_id, id, name, role)
VALUES (%(organization)s, %(id)s, %(name)s, 'owner');

-- name: issue_token
INSERT INTO tokens (id, organization_id, member_id, name, secret_sha256)
VALUES (%(id)s, %(organization)s, %(member)s, %(name)s, %(secret_sha256)s);

-- name: add_sign_in
INSERT INTO sign_ins (id, organization_id, member_id, secret_sha256, expires_at)
VALUES (%(id)s, %(organization)s, %(member)s, %(secret_sha256)s, now() + %(life)s);

-- name: get_sign_in
SELECT organization_id, member_id, secret_sha256
  FROM sign_ins
 WHERE id = %(id)s AND used_at IS NULL AND expires_at > now();

-- name: find_memberships
SELECT organization_id, id FROM members
 WHERE subject = %(subject)s AND issuer = %(issuer)s AND removed_at IS NULL
   AND (%(organization)s::uuid IS NULL OR organization_id = %(organization)s)
 ORDER BY organization_id;

-- name: find_invitations
SELECT organization_id, id FROM members
 WHERE email_folded = %(email)s AND subject IS NULL AND removed_at IS NULL
   AND (%(organization)s::uuid IS NULL OR organization_id = %(organization)s)
 ORDER BY organization_id;

-- name: bind_invited
-- Whoever was invited by an address is bound to the subject that proved to have it.
UPDATE members SET issuer = %(issuer)s, subject = %(subject)s
 WHERE id = %(id)s AND organization_id = %(organization)s AND email_folded = %(email)s
   AND subject IS NULL AND removed_at IS NULL;
