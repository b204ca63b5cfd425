"""Members, passes and the audit, in the shapes of the wire."""

import msgspec

from laydown import wire
from laydown.domain.audit import Audited
from laydown.domain.people import DropLink, Member, Token
from laydown.services.identity import Caller


def me(of: Caller, organization: str, *, csrf: str | None) -> wire.Me:
    """Return who is asking."""
    return wire.Me(
        kind=of.kind.value,
        id=of.principal,
        name=of.name,
        organization=organization,
        organization_id=of.organization,
        may=sorted(of.rights.everywhere),
        projects={str(id_): sorted(acts) for id_, acts in of.rights.in_projects.items()},
        link=None if of.link is None else link(of.link),
        csrf=csrf,
    )


def member(of: Member) -> wire.Member:
    """Return a member."""
    return wire.Member(
        id=of.id,
        name=of.name,
        created_at=of.created_at,
        projects={str(project): role.value for project, role in of.project_roles.items()},
        email=of.email,
        role=None if of.role is None else of.role.value,
        signs_in=of.subject is not None,
    )


def token(of: Token) -> wire.Token:
    """Return a token, without its secret."""
    return wire.Token(
        id=of.id,
        member_id=of.member,
        name=of.name,
        created_at=of.created_at,
        role=None if of.most is None else of.most.value,
        project_id=of.only,
        expires_at=of.expires_at,
        revoked_at=of.revoked_at,
        last_used_at=of.last_used_at,
    )


def link(of: DropLink) -> wire.Link:
    """Return a drop link, without its secret."""
    return wire.Link(
        id=of.id,
        project_id=of.project,
        label=of.label,
        folder=of.folder,
        created_at=of.created_at,
        expires_at=of.expires_at,
        max_files=of.most_files,
        max_bytes=of.most_bytes,
        revoked_at=of.revoked_at,
        last_used_at=of.last_used_at,
    )


def audit_line(of: Audited) -> wire.AuditLine:
    """Return a line of the audit."""
    return wire.AuditLine(
        id=of.id,
        at=of.at,
        deed=of.deed.value,
        principal_id=of.principal,
        name=of.name,
        token_id=of.token,
        address=of.address,
        request=of.request,
        subject_id=of.subject,
        project_id=of.project,
        detail=of.detail,
    )


def audit_row(of: Audited) -> wire.AuditRow:
    """Return a line of the audit as a row of a table."""
    return wire.AuditRow(
        at=of.at,
        deed=of.deed.value,
        name=of.name,
        principal_id=of.principal,
        token_id=of.token,
        address=of.address,
        request=of.request,
        subject_id=of.subject,
        project_id=of.project,
        detail=msgspec.json.encode(of.detail).decode(),
    )
