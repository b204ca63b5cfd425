"""Those who come: members of an organization, their tokens, and drop links for everybody else."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NewType
from uuid import UUID

from laydown.domain.access import PrincipalId, Role
from laydown.domain.upload import OrganizationId, ProjectId

TokenId = NewType("TokenId", UUID)

LONGEST_LABEL = 200  # characters of a project's name, a member's, a token's, a link's


def is_label(text: str) -> bool:
    """Say whether *text* is fit to be shown as a name."""
    return 0 < len(text) <= LONGEST_LABEL and text.isprintable()


class PrincipalKind(StrEnum):
    """What stands behind a request."""

    MEMBER = "member"
    LINK = "link"


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """Somebody, or some program, that belongs to an organization."""

    id: PrincipalId
    organization: OrganizationId
    name: str
    email: str | None = None  # how an identity provider's word finds them the first time
    subject: tuple[str, str] | None = None  # issuer and subject, once they have signed in
    role: Role | None = None  # in every project; None: only where they have one
    project_roles: Mapping[ProjectId, Role] = field(default_factory=dict)
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """What a member's program shows; its secret is known to nobody but its holder."""

    id: TokenId
    member: PrincipalId
    name: str
    most: Role | None  # allows no more than this role does
    only: ProjectId | None  # works in no other project
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None  # to within some minutes


@dataclass(frozen=True, slots=True, kw_only=True)
class DropLink:
    """A way in for somebody without an account, who delivers into one folder."""

    id: PrincipalId
    organization: OrganizationId
    project: ProjectId
    folder: str  # all that comes through it lies below; empty: the project itself
    label: str
    most_files: int | None  # None: no limit of its own
    most_bytes: int | None
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    last_used_at: datetime | None
