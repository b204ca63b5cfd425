"""Members, tokens, drop links, sessions and the audit of one organization."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from laydown.domain.access import PrincipalId, Role
from laydown.domain.audit import Audited, AuditFilter
from laydown.domain.errors import MemberExists, NotFound
from laydown.domain.people import DropLink, Member, Token, TokenId
from laydown.domain.upload import ProjectId
from laydown.ports import Page
from laydown.postgres import sql
from laydown.postgres.rows import audited_of, link_of, member_of, token_of
from laydown.postgres.session import Session

_Q = sql.load("people.sql")


class PeopleRows(Session):
    """The `PeopleRows` port on one connection."""

    async def organization_name(self) -> str:
        """Return what the organization is called."""
        return str((await self.one(_Q["organization_name"])).name)

    async def add_member(self, member: Member) -> Member:
        """Write a member; raise `MemberExists` when the e-mail address is another one's."""
        row = await self.one(_Q["add_member"], **_columns(member))
        if row is None:
            raise MemberExists(f"there is a member with the address {member.email} already")
        return replace(member, created_at=row.created_at)

    async def member(self, member: PrincipalId, *, lock: bool = False) -> Member:
        """Return a member with their roles, or raise `NotFound` for none or a removed one."""
        if lock:
            await self.one(_Q["lock_member"], id=member)
        row = await self.one(_Q["get_member"], id=member)
        if row is None:
            raise NotFound("member", member)
        return member_of(row, self.organization)

    async def members(self, page: Page, *, project: ProjectId | None) -> Sequence[Member]:
        """Return members by id; with *project*, those who have a role there."""
        rows = await self.all(
            _Q["list_members"], after=page.after, limit=page.limit, project=project
        )
        return [member_of(row, self.organization) for row in rows]

    async def change_member(self, member: Member) -> None:
        """Write a member's name, e-mail address and role in the organization."""
        await self.run(_Q["change_member"], **_columns(member))

    async def remove_member(self, member: PrincipalId) -> None:
        """End a membership: their tokens and sessions hold no longer, their roles are gone."""
        await self.run(_Q["remove_member"], id=member)
        await self.run(_Q["forget_roles"], id=member)

    async def count_owners(self) -> int:
        """Return how many owners there are; nobody makes or removes one meanwhile."""
        return len(await self.all(_Q["lock_owners"]))

    async def give_role(self, member: PrincipalId, project: ProjectId, role: Role | None) -> None:
        """Write a member's role in a project; None takes it."""
        if role is None:
            await self.run(_Q["take_role"], member=member, project=project)
        else:
            await self.run(_Q["give_role"], member=member, project=project, role=role)

    async def add_token(self, token: Token, secret_sha256: bytes) -> Token:
        """Write a token."""
        row = await self.one(
            _Q["add_token"],
            id=token.id,
            member=token.member,
            name=token.name,
            secret_sha256=secret_sha256,
            most=token.most,
            only=token.only,
            expires_at=token.expires_at,
        )
        return token_of(row)

    async def tokens(self, page: Page, *, member: PrincipalId | None) -> Sequence[Token]:
        """Return tokens by id, of one member or of all."""
        rows = await self.all(_Q["list_tokens"], after=page.after, limit=page.limit, member=member)
        return [token_of(row) for row in rows]

    async def token(self, token: TokenId) -> Token:
        """Return a token, or raise `NotFound`."""
        row = await self.one(_Q["get_token"], id=token)
        if row is None:
            raise NotFound("token", token)
        return token_of(row)

    async def revoke_token(self, token: TokenId) -> None:
        """End a token. Repeatable."""
        await self.run(_Q["revoke_token"], id=token)

    async def add_link(self, link: DropLink, secret_sha256: bytes) -> DropLink:
        """Write a drop link."""
        row = await self.one(
            _Q["add_link"],
            id=link.id,
            project=link.project,
            folder=link.folder,
            label=link.label,
            secret_sha256=secret_sha256,
            most_files=link.most_files,
            most_bytes=link.most_bytes,
            expires_at=link.expires_at,
        )
        return link_of(row, self.organization)

    async def links(self, project: ProjectId, page: Page) -> Sequence[DropLink]:
        """Return the drop links of a project, by id."""
        rows = await self.all(_Q["list_links"], project=project, after=page.after, limit=page.limit)
        return [link_of(row, self.organization) for row in rows]

    async def link(self, link: PrincipalId, *, lock: bool = False) -> DropLink:
        """Return a drop link, or raise `NotFound`."""
        if lock:
            await self.one(_Q["lock_link"], id=link)
        row = await self.one(_Q["get_link"], id=link)
        if row is None:
            raise NotFound("link", link)
        return link_of(row, self.organization)

    async def revoke_link(self, link: PrincipalId) -> None:
        """End a drop link. Repeatable."""
        await self.run(_Q["revoke_link"], id=link)

    async def delivered_by(self, principal: PrincipalId) -> tuple[int, int]:
        """Return how many files, and bytes, somebody has delivered or is delivering."""
        row = await self.one(_Q["delivered_by"], principal=principal)
        return row.files, row.bytes

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
        if code is not None and not await self.run(_Q["use_sign_in"], id=code):
            return None
        row = await self.one(
            _Q["add_session"], id=session, member=member, secret_sha256=secret_sha256, life=life
        )
        ends: datetime = row.expires_at
        return ends

    async def end_session(self, session: UUID) -> None:
        """End a session. Repeatable."""
        await self.run(_Q["end_session"], id=session)


class AuditRows(Session):
    """The `AuditRows` port on one connection."""

    async def note(self, line: Audited) -> None:
        """Write a line; the ledger's clock says when."""
        await self.run(
            _Q["note_deed"],
            id=line.id,
            deed=line.deed,
            principal=line.principal,
            name=line.name,
            token=line.token,
            address=line.address,
            request=line.request,
            subject=line.subject,
            project=line.project,
            detail=json.dumps(dict(line.detail)),
        )

    async def audit(self, which: AuditFilter, page: Page) -> Sequence[Audited]:
        """Return lines, newest first; the cursor is a line's id."""
        rows = await self.all(
            _Q["list_audit"],
            after=page.after,
            limit=page.limit,
            deed=which.deed,
            principal=which.principal,
            subject=which.subject,
            project=which.project,
            since=which.since,
            until=which.until,
        )
        return [audited_of(row) for row in rows]


def _columns(member: Member) -> dict[str, object]:
    return {
        "id": member.id,
        "name": member.name,
        "email": member.email,
        "email_folded": None if member.email is None else member.email.casefold(),
        "role": member.role,
    }
