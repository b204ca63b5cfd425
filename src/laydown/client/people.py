"""Members, roles, tokens, drop links and the audit, a method for each thing the API does."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Literal
from uuid import UUID

from laydown import wire
from laydown.client.bodies import decoded, encoded
from laydown.client.conversation import Conversation


class People(Conversation):
    """Who may come through, and who did what."""

    async def me(self) -> wire.Me:
        """Return who is asking, and what they may do."""
        return await self._get("/v1/me", wire.Me)

    # -- members

    async def add_member(
        self, name: str, *, email: str | None = None, role: wire.RoleName | None = None
    ) -> wire.Member:
        """Make somebody a member, with a *role* in every project or in none yet."""
        body = wire.NewMember(name=name, email=email, role=role)
        return await self._make("/v1/members", body, wire.Member)

    def members(self, *, project_id: UUID | None = None) -> AsyncIterator[wire.Member]:
        """Yield the members; with *project_id*, those who have a role of their own there."""
        path = "/v1/members" if project_id is None else f"/v1/projects/{project_id}/members"
        return self._pages(path, wire.MemberPage)

    async def member(self, member_id: UUID) -> wire.Member:
        """Return a member and their roles."""
        return await self._get(f"/v1/members/{member_id}", wire.Member)

    async def change_member(
        self,
        member_id: UUID,
        *,
        name: str | None = None,
        email: str | None = None,
        role: wire.RoleName | Literal["none"] | None = None,
    ) -> wire.Member:
        """Change what is given of a member; the role `none` takes the one in every project."""
        body = wire.MemberChange(name=name, email=email, role=role)
        answer = await self.transport.call("PATCH", f"/v1/members/{member_id}", body=encoded(body))
        return decoded(answer, wire.Member)

    async def remove_member(self, member_id: UUID) -> None:
        """End a membership, with its tokens and open deliveries."""
        await self.transport.call("DELETE", f"/v1/members/{member_id}")

    async def give_role(
        self, project_id: UUID, member_id: UUID, role: wire.RoleName
    ) -> wire.Member:
        """Give a member a role in a project."""
        path = f"/v1/projects/{project_id}/members/{member_id}"
        answer = await self.transport.call("PUT", path, body=encoded(wire.RoleGrant(role=role)))
        return decoded(answer, wire.Member)

    async def take_role(self, project_id: UUID, member_id: UUID) -> wire.Member:
        """Take a member's role in a project."""
        path = f"/v1/projects/{project_id}/members/{member_id}"
        return decoded(await self.transport.call("DELETE", path), wire.Member)

    # -- tokens and links

    async def make_token(
        self,
        name: str,
        *,
        member_id: UUID | None = None,
        role: wire.RoleName | None = None,
        project_id: UUID | None = None,
        expires_at: datetime | None = None,
    ) -> wire.MadeToken:
        """Return a new token with its secret, which nobody is shown again."""
        body = wire.NewToken(
            name=name, member_id=member_id, role=role, project_id=project_id, expires_at=expires_at
        )
        return await self._make("/v1/tokens", body, wire.MadeToken)

    def tokens(self, *, everybodys: bool = False) -> AsyncIterator[wire.Token]:
        """Yield the caller's tokens, or those of all members."""
        query = {"all": "true"} if everybodys else None
        return self._pages("/v1/tokens", wire.TokenPage, query)

    async def revoke_token(self, token_id: UUID) -> None:
        """End a token at once."""
        await self.transport.call("DELETE", f"/v1/tokens/{token_id}")

    async def make_link(
        self,
        project_id: UUID,
        label: str,
        *,
        folder: str = "",
        max_files: int | None = None,
        max_bytes: int | None = None,
        expires_at: datetime | None = None,
    ) -> wire.MadeLink:
        """Return a new drop link with its secret, which nobody is shown again."""
        body = wire.NewLink(
            label=label,
            folder=folder,
            max_files=max_files,
            max_bytes=max_bytes,
            expires_at=expires_at,
        )
        return await self._make(f"/v1/projects/{project_id}/links", body, wire.MadeLink)

    def links(self, project_id: UUID) -> AsyncIterator[wire.Link]:
        """Yield the drop links of a project."""
        return self._pages(f"/v1/projects/{project_id}/links", wire.LinkPage)

    async def link(self, link_id: UUID) -> wire.Link:
        """Return a drop link."""
        return await self._get(f"/v1/links/{link_id}", wire.Link)

    async def revoke_link(self, link_id: UUID) -> None:
        """End a drop link at once."""
        await self.transport.call("DELETE", f"/v1/links/{link_id}")

    # -- the audit

    def audit(
        self,
        *,
        deed: str | None = None,
        principal: UUID | None = None,
        subject: UUID | None = None,
        project: UUID | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> AsyncIterator[wire.AuditLine]:
        """Yield what was done, newest first."""
        query = _audited(deed, principal, subject, project, since, until)
        return self._pages("/v1/audit", wire.AuditPage, query)

    def audit_csv(
        self,
        *,
        deed: str | None = None,
        principal: UUID | None = None,
        subject: UUID | None = None,
        project: UUID | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> AsyncIterator[bytes]:
        """Yield what was done as CSV, in pieces; `BrokenOff` when it ends too early."""
        query = _audited(deed, principal, subject, project, since, until)
        return self._pieces("/v1/audit.csv", query)


def _audited(
    deed: str | None,
    principal: UUID | None,
    subject: UUID | None,
    project: UUID | None,
    since: datetime | None,
    until: datetime | None,
) -> dict[str, object]:
    return {
        "deed": deed,
        "principal": principal,
        "subject": subject,
        "project": project,
        "since": None if since is None else since.isoformat(),
        "until": None if until is None else until.isoformat(),
    }
