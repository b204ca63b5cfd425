"""Who stands behind a secret, found across organizations."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from laydown.domain.access import LINK_MAY, PrincipalId, Rights, Role, rights_of
from laydown.domain.people import PrincipalKind
from laydown.domain.upload import OrganizationId, ProjectId
from laydown.ports import Credential, SecretKind
from laydown.postgres import sql
from laydown.postgres.pool import Pool, fetched
from laydown.postgres.rows import link_of, project_roles_of
from laydown.services.identifiers import new_id

_Q = sql.load("keyring.sql")
_KEPT = {
    SecretKind.TOKEN: "token_credential",
    SecretKind.LINK: "link_credential",
    SecretKind.SESSION: "session_credential",
}
_USED = {
    SecretKind.TOKEN: "use_token",
    SecretKind.LINK: "use_link",
    SecretKind.SESSION: "use_session",
}


class PostgresKeyring:
    """The `Keyring`; needs the system role."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def _all(self, name: str, given: Mapping[str, Any]) -> Sequence[Any]:
        return await fetched(self._pool, _Q[name], given)

    async def credential(self, kind: SecretKind, id_: UUID) -> Credential | None:
        """Return what is kept of a secret, or None."""
        for row in await self._all(_KEPT[kind], {"id": id_}):
            return _of_link(row) if kind is SecretKind.LINK else _of_member(row)
        return None

    async def note_use(self, kind: SecretKind, id_: UUID) -> None:
        """Note that a secret was used just now."""
        await self._all(_USED[kind], {"id": id_})

    async def issue(
        self, *, organization: str, member: str, name: str, token: UUID, secret_sha256: bytes
    ) -> OrganizationId:
        """Keep a token of the owner called *member*."""
        owner = await self._owner(organization, member)
        await self._all(
            "issue_token", owner | {"id": token, "name": name, "secret_sha256": secret_sha256}
        )
        return OrganizationId(owner["organization"])

    async def offer_sign_in(
        self, *, organization: str, member: str, code: UUID, secret_sha256: bytes, life: timedelta
    ) -> None:
        """Keep a code that opens one session for an owner; both are made if absent."""
        owner = await self._owner(organization, member)
        given = {"id": code, "secret_sha256": secret_sha256, "life": life}
        await self._all("add_sign_in", owner | given)

    async def sign_in(self, code: UUID) -> tuple[OrganizationId, PrincipalId, bytes] | None:
        """Return whose a code is, and its secret's digest, if it can still be used."""
        for row in await self._all("get_sign_in", {"id": code}):
            return row.organization_id, row.member_id, row.secret_sha256
        return None

    async def members_of(
        self,
        *,
        issuer: str,
        subject: str,
        email: str | None,
        organization: OrganizationId | None = None,
    ) -> Sequence[tuple[OrganizationId, PrincipalId]]:
        """Return who somebody is that an identity provider vouches for, or may become."""
        who = {"issuer": issuer, "subject": subject, "organization": organization}
        rows = await self._all("find_memberships", who)
        if not rows and email is not None:
            who["email"] = email.casefold()
            rows = await self._all("find_invitations", who)
            if len(rows) <= 1:
                for invited in rows:
                    bound = {"id": invited.id, "organization": invited.organization_id}
                    await self._all("bind_invited", who | bound)
                rows = await self._all("find_memberships", who)  # others may have been faster
        return [(row.organization_id, row.id) for row in rows]

    async def credential_of(
        self, organization: OrganizationId, member: PrincipalId
    ) -> Credential | None:
        """Return the rights of a member that something else than a secret speaks for, or None."""
        for row in await self._all(
            "member_credential", {"id": member, "organization": organization}
        ):
            return _of_member(row)
        return None

    async def _owner(self, organization: str, name: str) -> dict[str, UUID]:
        """Return the ids of an organization and of its owner of this name, made if absent."""
        await self._all("add_organization", {"id": new_id(), "name": organization})
        [found] = await self._all("find_organization", {"name": organization})
        owner = {"organization": found.id, "name": name}
        await self._all("add_event_head", owner)
        known = await self._all("find_owner", owner)
        if known:
            return {"organization": found.id, "member": known[0].id}
        member = new_id()
        await self._all("add_owner", owner | {"id": member})
        return {"organization": found.id, "member": member}


def _of_member(row: Any) -> Credential:  # noqa: ANN401 - a row
    return Credential(
        id=row.id,
        organization=row.organization_id,
        secret_sha256=row.secret_sha256,
        is_valid=row.is_valid,
        is_used=row.is_used,
        kind=PrincipalKind.MEMBER,
        principal=row.member_id,
        name=row.name,
        rights=rights_of(
            None if row.role is None else Role(row.role),
            project_roles_of(row),
            most=None if row.most is None else Role(row.most),
            only=None if row.only_project_id is None else ProjectId(row.only_project_id),
        ),
    )


def _of_link(row: Any) -> Credential:  # noqa: ANN401 - a row
    return Credential(
        id=row.id,
        organization=row.organization_id,
        secret_sha256=row.secret_sha256,
        is_valid=row.is_valid,
        is_used=row.is_used,
        kind=PrincipalKind.LINK,
        principal=row.id,
        name=row.label,
        rights=Rights(in_projects={row.project_id: LINK_MAY}),
        link=link_of(row, row.organization_id),
    )
