"""Members, roles, tokens, drop links and the audit, for code that blocks."""

from collections.abc import Iterator
from datetime import datetime
from typing import Literal
from uuid import UUID

from laydown import wire
from laydown.client.loop import Loop


class BlockingPeople(Loop):
    """Every method does and raises what the one of the same name of `AsyncClient` does."""

    def me(self) -> wire.Me:
        """Return who is asking, and what they may do."""
        return self._run(self._async.me())

    def add_member(
        self, name: str, *, email: str | None = None, role: wire.RoleName | None = None
    ) -> wire.Member:
        """Make somebody a member, with a *role* in every project or in none yet."""
        return self._run(self._async.add_member(name, email=email, role=role))

    def members(self, *, project_id: UUID | None = None) -> Iterator[wire.Member]:
        """Yield the members; with *project_id*, those who have a role of their own there."""
        return self._each(self._async.members(project_id=project_id))

    def member(self, member_id: UUID) -> wire.Member:
        """Return a member and their roles."""
        return self._run(self._async.member(member_id))

    def change_member(
        self,
        member_id: UUID,
        *,
        name: str | None = None,
        email: str | None = None,
        role: wire.RoleName | Literal["none"] | None = None,
    ) -> wire.Member:
        """Change what is given of a member; the role `none` takes the one in every project."""
        return self._run(self._async.change_member(member_id, name=name, email=email, role=role))

    def remove_member(self, member_id: UUID) -> None:
        """End a membership, with its tokens and open deliveries."""
        return self._run(self._async.remove_member(member_id))

    def give_role(self, project_id: UUID, member_id: UUID, role: wire.RoleName) -> wire.Member:
        """Give a member a role in a project."""
        return self._run(self._async.give_role(project_id, member_id, role))

    def take_role(self, project_id: UUID, member_id: UUID) -> wire.Member:
        """Take a member's role in a project."""
        return self._run(self._async.take_role(project_id, member_id))

    def make_token(
        self,
        name: str,
        *,
        member_id: UUID | None = None,
        role: wire.RoleName | None = None,
        project_id: UUID | None = None,
        expires_at: datetime | None = None,
    ) -> wire.MadeToken:
        """Return a new token with its secret, which nobody is shown again."""
        return self._run(
            self._async.make_token(
                name, member_id=member_id, role=role, project_id=project_id, expires_at=expires_at
            )
        )

    def tokens(self, *, everybodys: bool = False) -> Iterator[wire.Token]:
        """Yield the caller's tokens, or those of all members."""
        return self._each(self._async.tokens(everybodys=everybodys))

    def revoke_token(self, token_id: UUID) -> None:
        """End a token at once."""
        return self._run(self._async.revoke_token(token_id))

    def make_link(
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
        return self._run(
            self._async.make_link(
                project_id,
                label,
                folder=folder,
                max_files=max_files,
                max_bytes=max_bytes,
                expires_at=expires_at,
            )
        )

    def links(self, project_id: UUID) -> Iterator[wire.Link]:
        """Yield the drop links of a project."""
        return self._each(self._async.links(project_id))

    def link(self, link_id: UUID) -> wire.Link:
        """Return a drop link."""
        return self._run(self._async.link(link_id))

    def revoke_link(self, link_id: UUID) -> None:
        """End a drop link at once."""
        return self._run(self._async.revoke_link(link_id))

    def audit(
        self,
        *,
        deed: str | None = None,
        principal: UUID | None = None,
        subject: UUID | None = None,
        project: UUID | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> Iterator[wire.AuditLine]:
        """Yield what was done, newest first."""
        return self._each(
            self._async.audit(
                deed=deed,
                principal=principal,
                subject=subject,
                project=project,
                since=since,
                until=until,
            )
        )

    def audit_csv(
        self,
        *,
        deed: str | None = None,
        principal: UUID | None = None,
        subject: UUID | None = None,
        project: UUID | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> Iterator[bytes]:
        """Yield what was done as CSV, in pieces; `BrokenOff` when it ends too early."""
        return self._each(
            self._async.audit_csv(
                deed=deed,
                principal=principal,
                subject=subject,
                project=project,
                since=since,
                until=until,
            )
        )
