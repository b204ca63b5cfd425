-- Who may come through: members and their roles, tokens of members, drop links, sessions, audit.

CREATE TYPE role AS ENUM ('owner', 'manager', 'contributor', 'uploader', 'viewer');

CREATE TABLE members (
    organization_id uuid NOT NULL REFERENCES organizations,
    id              uuid NOT NULL,
    name            text NOT NULL,
    email           text,
    email_folded    text,
    issuer          text,
    subject         text,
    role            role,
    created_at      timestamptz NOT NULL DEFAULT now(),
    removed_at      timestamptz,
    PRIMARY KEY (id, organization_id),
    CONSTRAINT addresses_are_folded CHECK ((email IS NULL) = (email_folded IS NULL)),
    CONSTRAINT subjects_have_issuers CHECK ((issuer IS NULL) = (subject IS NULL))
);

CREATE UNIQUE INDEX one_member_an_email ON members (email_folded, organization_id)
    WHERE removed_at IS NULL;
CREATE UNIQUE INDEX one_member_a_subject ON members (subject, issuer, organization_id)
    WHERE removed_at IS NULL;
CREATE INDEX members_of_organization ON members (organization_id, id) WHERE removed_at IS NULL;

CREATE TABLE project_roles (
    organization_id uuid NOT NULL,
    member_id       uuid NOT NULL,
    project_id      uuid NOT NULL,
    role            role NOT NULL,
    PRIMARY KEY (member_id, project_id, organization_id),
    FOREIGN KEY (member_id, organization_id) REFERENCES members,
    FOREIGN KEY (organization_id, project_id) REFERENCES projects
);

CREATE INDEX roles_of_project ON project_roles (project_id, member_id);

-- What there is already gets an owner. The tables' own owner doesn't see their rows otherwise.
ALTER TABLE tokens NO FORCE ROW LEVEL SECURITY;
ALTER TABLE batches NO FORCE ROW LEVEL SECURITY;

-- Until now tokens were the organization's own: they become those of an owner.
INSERT INTO members (organization_id, id, name, role)
SELECT DISTINCT ON (organization_id) organization_id, id, 'owner', 'owner'
  FROM tokens ORDER BY organization_id, created_at;

ALTER TABLE tokens
    ADD COLUMN member_id uuid,
    ADD COLUMN most role,
    ADD COLUMN only_project_id uuid,
    ADD COLUMN last_used_at timestamptz;
UPDATE tokens t SET member_id = m.id FROM members m WHERE m.organization_id = t.organization_id;
ALTER TABLE tokens
    ALTER COLUMN member_id SET NOT NULL,
    ADD FOREIGN KEY (member_id, organization_id) REFERENCES members,
    ADD FOREIGN KEY (organization_id, only_project_id) REFERENCES projects;

CREATE INDEX tokens_of_member ON tokens (member_id, id);

CREATE TABLE links (
    organization_id uuid NOT NULL,
    id              uuid NOT NULL,
    project_id      uuid NOT NULL,
    folder          text NOT NULL,
    label           text NOT NULL,
    secret_sha256   bytea NOT NULL CHECK (octet_length(secret_sha256) = 32),
    most_files      bigint CHECK (most_files > 0),
    most_bytes      bigint CHECK (most_bytes > 0),
    created_at      timestamptz NOT NULL DEFAULT now(),
    expires_at      timestamptz NOT NULL,
    revoked_at      timestamptz,
    last_used_at    timestamptz,
    PRIMARY KEY (id, organization_id),
    FOREIGN KEY (organization_id, project_id) REFERENCES projects
);

CREATE INDEX links_of_project ON links (project_id, id);

-- What a browser shows instead of a token, and the code that opens it, once.
CREATE TABLE sessions (
    organization_id uuid NOT NULL,
    id              uuid NOT NULL,
    member_id       uuid NOT NULL,
    secret_sha256   bytea NOT NULL CHECK (octet_length(secret_sha256) = 32),
    created_at      timestamptz NOT NULL DEFAULT now(),
    expires_at      timestamptz NOT NULL,
    ended_at        timestamptz,
    last_used_at    timestamptz,
    PRIMARY KEY (id, organization_id),
    FOREIGN KEY (member_id, organization_id) REFERENCES members
);

CREATE TABLE sign_ins (
    organization_id uuid NOT NULL,
    id              uuid NOT NULL,
    member_id       uuid NOT NULL,
    secret_sha256   bytea NOT NULL CHECK (octet_length(secret_sha256) = 32),
    expires_at      timestamptz NOT NULL,
    used_at         timestamptz,
    PRIMARY KEY (id, organization_id),
    FOREIGN KEY (member_id, organization_id) REFERENCES members
);

-- Whose delivery it is: a member's id, or a drop link's.
ALTER TABLE batches ADD COLUMN declared_by uuid;
UPDATE batches b SET declared_by = m.id FROM members m WHERE m.organization_id = b.organization_id;
ALTER TABLE batches ALTER COLUMN declared_by SET NOT NULL;
-- Who delivered content, for those who may know no more than that.
CREATE INDEX versions_of_blob ON versions (blob_id);

CREATE INDEX batches_of_principal ON batches (declared_by, id);
ALTER TABLE tokens FORCE ROW LEVEL SECURITY;
ALTER TABLE batches FORCE ROW LEVEL SECURITY;

-- An open reference belongs to whoever opened it: another one's is none of their business.
DROP INDEX one_open_batch_a_reference;
CREATE UNIQUE INDEX one_open_batch_a_reference
    ON batches (project_id, declared_by, reference) WHERE closed_at IS NULL;

CREATE TABLE audit (
    organization_id uuid NOT NULL REFERENCES organizations,
    id              uuid NOT NULL,
    at              timestamptz NOT NULL DEFAULT clock_timestamp(),
    deed            text NOT NULL,
    principal_id    uuid NOT NULL,
    name            text NOT NULL,
    token_id        uuid,
    address         text,
    request         text,
    subject_id      uuid,
    project_id      uuid,
    detail          jsonb NOT NULL DEFAULT '{}',
    PRIMARY KEY (id, organization_id)
);

CREATE INDEX audit_of_organization ON audit (organization_id, id);
CREATE INDEX audit_of_subject ON audit (subject_id, id) WHERE subject_id IS NOT NULL;

DO $$
DECLARE
    tenant text;
BEGIN
    FOREACH tenant IN ARRAY ARRAY[
        'members', 'project_roles', 'links', 'sessions', 'sign_ins', 'audit'
    ] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', tenant);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', tenant);
        EXECUTE format(
            'CREATE POLICY own_rows ON %I TO laydown_app
                 USING (organization_id = current_organization())
                 WITH CHECK (organization_id = current_organization())', tenant);
    END LOOP;
    -- Before an organization is known, somebody shows a secret: it leads to what they may do.
    FOREACH tenant IN ARRAY ARRAY['members', 'links', 'sessions', 'sign_ins'] LOOP
        EXECUTE format(
            'CREATE POLICY all_rows ON %I TO laydown_system USING (true) WITH CHECK (true)', tenant);
    END LOOP;
END
$$;
CREATE POLICY read_rows ON project_roles FOR SELECT TO laydown_system USING (true);

GRANT SELECT, INSERT, UPDATE ON members, tokens, links, sessions, sign_ins TO laydown_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON project_roles TO laydown_app;
GRANT SELECT, INSERT ON audit TO laydown_app;  -- never UPDATE, never DELETE

GRANT SELECT, INSERT ON members, sign_ins TO laydown_system;
GRANT SELECT ON project_roles, links, sessions, sign_ins TO laydown_system;
GRANT UPDATE (last_used_at) ON tokens, links, sessions TO laydown_system;
GRANT UPDATE (issuer, subject) ON members TO laydown_system;
