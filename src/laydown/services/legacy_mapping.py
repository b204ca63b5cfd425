"""Saying which project of ours an old one is, and which of our tokens an old key stands for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Final

from laydown.domain.access import Role
from laydown.domain.batch import Project
from laydown.domain.errors import NotFound
from laydown.domain.legacy import OldProject
from laydown.domain.people import Token
from laydown.ports import Ledger, OldTable, Page
from laydown.services.identity import Caller, Identity
from laydown.services.passes import Tokens
from laydown.services.projects import Projects

_DOMAIN: Final = b"laydown old key\0"


def digest_of(old_key: str) -> bytes:
    """Return what is kept of a key of the old API; no secret of ours has the same digest."""
    return sha256(_DOMAIN + old_key.encode()).digest()


@dataclass(frozen=True, kw_only=True)
class Matchmaking:
    """Use cases of who runs the server, in the name of an owner. Safe to repeat."""

    ledger: Ledger
    table: OldTable
    identity: Identity

    async def owner(self, organization: str) -> Caller:
        """Return an owner of the organization of this name, or raise `NotFound`."""
        found = await self.table.owner_of(organization)
        if found is None:
            raise NotFound("organization with an owner called", organization)
        return await self.identity.owner(found[0], found[1])

    async def projects(
        self, caller: Caller, codes: Mapping[int, str], *, prefix: str
    ) -> Sequence[tuple[OldProject, Project]]:
        """Map old projects to ours by their codes; a code that nobody has makes a project.

        The old table is told of new versions in them if it is of those in any other. *prefix* is
        what stands before our keys in the bucket that both systems use.
        """
        async with self.ledger.snapshot(caller.organization) as tx:
            writes_back = any(each.writes_back for each in await tx.old_projects())
        done = []
        for old, code in codes.items():
            project = await self._project(caller, code)
            mapped = OldProject(
                old=old,
                organization=caller.organization,
                project=project.id,
                writes_back=writes_back,
                prefix=prefix,
            )
            async with self.ledger.begin(caller.organization) as tx:
                await tx.map_project(mapped)
            done.append((mapped, project))
        return done

    async def writing_back(
        self, caller: Caller, *, is_on: bool, prefix: str
    ) -> Sequence[OldProject]:
        """Begin or end to tell the old table of new versions, in every mapped project."""
        async with self.ledger.begin(caller.organization) as tx:
            mapped = [
                replace(each, writes_back=is_on, prefix=prefix) for each in await tx.old_projects()
            ]
            for each in mapped:
                await tx.map_project(each)
        return mapped

    async def key(self, caller: Caller, old_key: str, *, name: str, most: Role) -> Token:
        """Make a token that a key of the old API stands for, at the old routes only.

        Revoking it ends that. Nobody gets to see the token's own secret.
        """
        token, _ = await Tokens(ledger=self.ledger).make(
            caller, name=name, member=None, most=most, only=None, expires_at=None
        )
        async with self.ledger.begin(caller.organization) as tx:
            await tx.keep_old_key(digest_of(old_key), token.id)
        return token

    async def _project(self, caller: Caller, code: str) -> Project:
        async with self.ledger.snapshot(caller.organization) as tx:
            found = await tx.projects(Page(limit=1), code=code)
        if found:
            return found[0]
        return await Projects(ledger=self.ledger).create(
            caller, code=code, name=None, time_zone=None, position=None
        )
