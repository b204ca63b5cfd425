"""Members, tokens, drop links, sessions and the audit."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias
from uuid import UUID

LINK_PREFIX = "ldl_"
"""How the secret of a drop link begins."""

RoleName: TypeAlias = Literal["owner", "manager", "contributor", "uploader", "viewer"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Me:
    """Who is asking, and what they may do."""

    kind: Literal["member", "link"]
    id: UUID
    name: str
    organization: str
    organization_id: UUID
    may: Sequence[str]  # acts, in every project
    projects: Mapping[str, Sequence[str]]  # acts beyond those, by project id
    link: "Link | None" = None
    csrf: str | None = None  # what a browser's session sends as `X-CSRF-Token`


@dataclass(frozen=True, slots=True, kw_only=True)
class NewMember:
    """What `POST /v1/members` takes."""

    name: str
    email: str | None = None
    role: RoleName | None = None  # in every project


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberChange:
    """What `PATCH /v1/members/{id}` takes; absent fields stay as they are."""

    name: str | None = None
    email: str | None = None
    role: RoleName | Literal["none"] | None = None  # `none` takes the role in every project


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleGrant:
    """What `PUT /v1/projects/{id}/members/{member_id}` takes."""

    role: RoleName


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """Somebody, or some program, that belongs to the organization."""

    id: UUID
    name: str
    created_at: datetime
    projects: Mapping[str, RoleName]  # role by project id
    email: str | None = None
    role: RoleName | None = None  # in every project
    signs_in: bool = False  # an identity provider has vouched for them


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberPage:
    """Some members, and where the next page begins."""

    items: Sequence[Member]
    next_cursor: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewToken:
    """What `POST /v1/tokens` takes."""

    name: str
    member_id: UUID | None = None  # whose; the caller's own when absent
    role: RoleName | None = None  # allows no more than this
    project_id: UUID | None = None  # works in no other
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A token, without its secret."""

    id: UUID
    member_id: UUID
    name: str
    created_at: datetime
    role: RoleName | None = None
    project_id: UUID | None = None
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    last_used_at: datetime | None = None  # to within some minutes


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeToken:
    """A new token; `secret` goes behind `Authorization: Bearer`, and is never shown again."""

    token: Token
    secret: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenPage:
    """Some tokens, and where the next page begins."""

    items: Sequence[Token]
    next_cursor: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewLink:
    """What `POST /v1/projects/{id}/links` takes."""

    label: str  # for whom
    folder: str = ""  # what comes through the link lies below
    max_files: int | None = None
    max_bytes: int | None = None
    expires_at: datetime | None = None  # in 30 days when absent


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A drop link, without its secret."""

    id: UUID
    project_id: UUID
    label: str
    folder: str
    created_at: datetime
    expires_at: datetime
    max_files: int | None = None
    max_bytes: int | None = None
    revoked_at: datetime | None = None
    last_used_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeLink:
    """A new drop link; `secret` is what its holder sends as a token, and is never shown again."""

    link: Link
    secret: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkPage:
    """Some drop links, and where the next page begins."""

    items: Sequence[Link]
    next_cursor: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SignIn:
    """What `POST /v1/sessions` takes."""

    code: str  # out of a one-time link


@dataclass(frozen=True, slots=True, kw_only=True)
class Ways:
    """How people can sign in here."""

    link: bool  # by the code of a one-time link
    provider: bool  # at an identity provider, by way of `/signin/provider`


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditLine:
    """Who did what, when, from where."""

    id: UUID
    at: datetime
    deed: str
    principal_id: UUID
    name: str
    token_id: UUID | None = None
    address: str | None = None
    request: str | None = None
    subject_id: UUID | None = None
    project_id: UUID | None = None
    detail: Mapping[str, str | int]


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditPage:
    """Some lines of the audit, newest first, and where the next page begins."""

    items: Sequence[AuditLine]
    next_cursor: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRow:
    """A line of the audit in a table; `detail` is JSON."""

    at: datetime
    deed: str
    name: str
    principal_id: UUID
    token_id: UUID | None
    address: str | None
    request: str | None
    subject_id: UUID | None
    project_id: UUID | None
    detail: str
