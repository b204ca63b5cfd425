"""Members, tokens, drop links, sessions and the audit; and who stands behind a secret."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from laydown.domain.access import PrincipalId, Rights, Role
from laydown.domain.audit import Audited, AuditFilter
from laydown.domain.people import DropLink, Member, PrincipalKind, Token, TokenId
from laydown.domain.upload import OrganizationId, ProjectId
from laydown.ports.pages import Page


class SecretKind(StrEnum):
    """What a secret opens; each has an id beside it, so that it can be found."""

    TOKEN = "token"  # noqa: S105 - a kind
    LINK = "link"
    SESSION = "session"


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """What the ledger keeps of a token, a link or a session, and of whoever it belongs to."""

    id: UUID
    organization: OrganizationId
    secret_sha256: bytes
    is_valid: bool  # neither revoked nor expired, and the member is still one
    is_used: bool  # noted as used, some minutes ago at most
    kind: PrincipalKind
    principal: PrincipalId
    name: str
    rights: Rights
    link: DropLink | None = None


class Keyring(Protocol):
    """Secrets, found before an organization is known."""

    async def credential(self, kind: SecretKind, id_: UUID) -> Credential | None:
        """Return what is kept of a secret, or None."""
        ...

    async def note_use(self, kind: SecretKind, id_: UUID) -> None:
        """Note that a secret was used just now."""
        ...

    async def issue(
        self, *, organization: str, member: str, name: str, token: UUID, secret_sha256: bytes
    ) -> OrganizationId:
        """Keep a token of the owner called *member*.

        The organization of that name, and the owner, are made if absent.
        """
        ...

    async def offer_sign_in(
        self, *, organization: str, member: str, code: UUID, secret_sha256: bytes, life: timedelta
    ) -> None:
        """Keep a code that opens one session for an owner; both are made if absent."""
        ...

    async def sign_in(self, code: UUID) -> tuple[OrganizationId, PrincipalId, bytes] | None:
        """Return whose a code is, and its secret's digest, if it can still be used."""
        ...

    async def members_of(
        self,
        *,
        issuer: str,
        subject: str,
        email: str | None,
        organization: OrganizationId | None = None,
    ) -> Sequence[tuple[OrganizationId, PrincipalId]]:
        """Return the memberships of somebody that an identity provider vouches for.

        With *organization*, that in it alone. Where there is none, whoever was invited by *email*,
        which must be verified, is bound to the subject, if that is one; of several, none is bound,
        and they are returned to choose from. So an invitation never changes what somebody has.
        """
        ...

    async def credential_of(
        self, organization: OrganizationId, member: PrincipalId
    ) -> Credential | None:
        """Return the rights of a member that something else than a secret speaks for, or None."""
        ...


class PeopleRows(Protocol):
    """Members, roles, tokens, links and sessions of one organization."""

    async def organization_name(self) -> str:
        """Return what the organization is called."""
        ...

    async def add_member(self, member: Member) -> Member:
        """Write a member; raise `MemberExists` when the e-mail address is another one's."""
        ...

    async def member(self, member: PrincipalId, *, lock: bool = False) -> Member:
        """Return a member with their roles, or raise `NotFound` for none or a removed one."""
        ...

    async def members(self, page: Page, *, project: ProjectId | None) -> Sequence[Member]:
        """Return members by id; with *project*, those who have a role there."""
        ...

    async def change_member(self, member: Member) -> None:
        """Write a member's name, e-mail address and role in the organization."""
        ...

    async def remove_member(self, member: PrincipalId) -> None:
        """End a membership: their tokens and sessions hold no longer, their roles are gone."""
        ...

    async def count_owners(self) -> int:
        """Return how many owners there are; nobody makes or removes one meanwhile."""
        ...

    async def give_role(self, member: PrincipalId, project: ProjectId, role: Role | None) -> None:
        """Write a member's role in a project; None takes it."""
        ...

    async def add_token(self, token: Token, secret_sha256: bytes) -> Token:
        """Write a token."""
        ...

    async def tokens(self, page: Page, *, member: PrincipalId | None) -> Sequence[Token]:
        """Return tokens by id, of one member or of all."""
        ...

    async def token(self, token: TokenId) -> Token:
        """Return a token, or raise `NotFound`."""
        ...

    async def revoke_token(self, token: TokenId) -> None:
        """End a token. Repeatable."""
        ...

    async def add_link(self, link: DropLink, secret_sha256: bytes) -> DropLink:
        """Write a drop link."""
        ...

    async def links(self, project: ProjectId, page: Page) -> Sequence[DropLink]:
        """Return the drop links of a project, by id."""
        ...

    async def link(self, link: PrincipalId, *, lock: bool = False) -> DropLink:
        """Return a drop link, or raise `NotFound`."""
        ...

    async def revoke_link(self, link: PrincipalId) -> None:
        """End a drop link. Repeatable."""
        ...

    async def delivered_by(self, principal: PrincipalId) -> tuple[int, int]:
        """Return how many files, and bytes, somebody has delivered or is delivering."""
        ...

    async def open_session(
        self,
        member: PrincipalId,
        *,
        session: UUID,
        secret_sha256: bytes,
        life: timedelta,
        code: UUID | None,
    ) -> datetime | None:
        """Write a session and return when it ends; None when *code* was used before."""
        ...

    async def end_session(self, session: UUID) -> None:
        """End a session. Repeatable."""
        ...


class AuditRows(Protocol):
    """The audit of one organization."""

    async def note(self, line: Audited) -> None:
        """Write a line; the ledger's clock says when."""
        ...

    async def audit(self, which: AuditFilter, page: Page) -> Sequence[Audited]:
        """Return lines, newest first; the cursor is a line's id."""
        ...
