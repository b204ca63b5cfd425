"""The one door from what a request shows to whoever stands behind it."""

import hashlib
import hmac
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from laydown.domain.access import PrincipalId, Rights
from laydown.domain.audit import Audited, Deed
from laydown.domain.bearers import is_from_issuer
from laydown.domain.errors import Forbidden, Unauthenticated
from laydown.domain.people import DropLink, PrincipalKind
from laydown.domain.upload import OrganizationId
from laydown.ports import Credential, IdentityProvider, Keyring, SecretKind, Stranger
from laydown.services.identifiers import EPOCH, new_id

SIGN_IN_LIFE = timedelta(minutes=15)
"""How long a one-time link can wait for a browser."""

_PREFIXES = {SecretKind.TOKEN: "ldn", SecretKind.LINK: "ldl", SecretKind.SESSION: "lds"}
_KINDS = {prefix: kind for kind, prefix in _PREFIXES.items()}
_CODE = "ldc"
_SECRET = re.compile(r"(ld[nlsc])_([0-9a-f]{32})_([A-Za-z0-9_-]{43})", re.ASCII)


class SeveralOrganizations(Forbidden):
    """Several organizations know somebody of whom only the identity provider speaks."""

    def __init__(self, organizations: Sequence[OrganizationId]) -> None:
        named = ", ".join(map(str, organizations))
        super().__init__(f"several organizations know you; name one of {named}")
        self.organizations = organizations


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a request came from, as far as we can know."""

    address: str | None = None  # of the client, behind the proxies that are trusted
    request: str | None = None  # the request's id


NOWHERE = Origin()


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who is asking, for which organization, and what they may do there."""

    organization: OrganizationId
    token: UUID  # the id of what was shown: a token's, a link's or a session's
    principal: PrincipalId
    name: str
    rights: Rights
    kind: PrincipalKind = PrincipalKind.MEMBER
    shown: SecretKind | None = SecretKind.TOKEN  # None: a word of an identity provider
    link: DropLink | None = None
    until: datetime | None = None  # when the word of an identity provider ends
    origin: Origin = field(default=NOWHERE)

    def did(
        self,
        deed: Deed,
        *,
        subject: UUID | None = None,
        project: UUID | None = None,
        **detail: str | int,
    ) -> Audited:
        """Return the line of the audit that says that this caller did it."""
        return Audited(
            id=new_id(),
            at=EPOCH,  # the ledger's clock decides
            deed=deed,
            principal=self.principal,
            name=self.name,
            token=self.token,
            address=self.origin.address,
            request=self.origin.request,
            subject=subject,
            project=project,
            detail=detail,
        )


@dataclass(frozen=True, slots=True)
class Secret:
    """A new secret: what its holder gets to see once, and what we keep."""

    id: UUID
    text: str
    sha256: bytes


@dataclass(frozen=True, kw_only=True)
class Identity:
    """Knows secrets `ld?_<id>_<secret>`; only the SHA-256 of a secret is kept.

    `ldn_` is a token, `ldl_` a drop link, `lds_` a session. The secret has 256 random bits, so a
    fast hash is enough: there is nothing to guess. Whom an identity provider vouches for is let in,
    too, if somebody has made them a member.
    """

    keyring: Keyring
    provider: IdentityProvider | None = None  # None: nobody's word counts but ours

    async def caller(
        self, bearer: str, origin: Origin = NOWHERE, *, organization: OrganizationId | None = None
    ) -> Caller:
        """Return who a bearer speaks for; raise `Unauthenticated` for any that isn't valid now.

        A token of the identity provider speaks for a member of *organization*, or of the only one
        they belong to; raises as `member` does, and `IssuerUnavailable`.
        """
        if is_from_issuer(bearer):
            if self.provider is None:
                raise Unauthenticated(
                    "no identity provider's tokens are taken here; get one of ours"
                )
            stranger = await self.provider.stranger(bearer)
            return await self.member(stranger, origin, organization=organization)
        match = _SECRET.fullmatch(bearer)
        kind = None if match is None else _KINDS.get(match[1])
        if match is None or kind is None:
            raise Unauthenticated("that is not a laydown token; they look like ldn_<id>_<secret>")
        credential = await self.keyring.credential(kind, UUID(match[2]))
        kept = credential.secret_sha256 if credential else bytes(32)
        if not _is_same(match[3], kept) or credential is None or not credential.is_valid:
            raise Unauthenticated(f"this {kind} is unknown, revoked or expired; get a new one")
        if not credential.is_used:
            await self.keyring.note_use(kind, credential.id)
        return _caller(credential, kind, origin)

    async def member(
        self,
        stranger: Stranger,
        origin: Origin = NOWHERE,
        *,
        organization: OrganizationId | None = None,
    ) -> Caller:
        """Return the member somebody is whom the identity provider vouches for.

        The first time that is whoever was invited by the address the provider has verified. Raises
        `Forbidden` for nobody's member, and `SeveralOrganizations` for a member of several, or
        somebody whom several have invited, when none is named.
        """
        found = await self.keyring.members_of(
            issuer=stranger.issuer,
            subject=stranger.subject,
            email=stranger.email,
            organization=organization,
        )
        if not found:
            raise Forbidden("nobody has made you a member here; ask an owner or a manager to")
        if len(found) > 1:
            raise SeveralOrganizations(tuple(each for each, _ in found))
        credential = await self.keyring.credential_of(*found[0])
        if credential is None or not credential.is_valid:
            raise Forbidden("you are a member no more")
        return replace(_caller(credential, None, origin), until=stranger.until)

    async def again(self, caller: Caller) -> Caller | None:
        """Return the caller with what they may do by now; None when they may come in no more."""
        if caller.until is not None and caller.until <= datetime.now(UTC):
            return None
        if caller.shown is None:
            credential = await self.keyring.credential_of(caller.organization, caller.principal)
        else:
            credential = await self.keyring.credential(caller.shown, caller.token)
        if credential is None or not credential.is_valid:
            return None
        return replace(_caller(credential, caller.shown, caller.origin), until=caller.until)

    async def holder(self, token: UUID, origin: Origin = NOWHERE) -> Caller:
        """Return who a token speaks for whose holder showed something else that stands for it.

        Raises `Unauthenticated` for one that isn't valid now.
        """
        credential = await self.keyring.credential(SecretKind.TOKEN, token)
        if credential is None or not credential.is_valid:
            raise Unauthenticated("what this key stood for is revoked or expired")
        if not credential.is_used:
            await self.keyring.note_use(SecretKind.TOKEN, token)
        return _caller(credential, SecretKind.TOKEN, origin)

    async def owner(self, organization: OrganizationId, member: PrincipalId) -> Caller:
        """Return an owner, in whose name whoever runs the server acts on the server."""
        credential = await self.keyring.credential_of(organization, member)
        if credential is None or not credential.is_valid:
            raise Unauthenticated("this owner is a member no more")
        return _caller(credential, None, NOWHERE)

    async def issue(self, *, organization: str, name: str, member: str = "owner") -> str:
        """Return a new token of an organization's owner; both are made if absent. Shown once."""
        made = secret(SecretKind.TOKEN)
        await self.keyring.issue(
            organization=organization,
            member=member,
            name=name,
            token=made.id,
            secret_sha256=made.sha256,
        )
        return made.text

    async def offer_sign_in(self, *, organization: str, member: str = "owner") -> str:
        """Return a code that opens one session for an organization's owner, within minutes."""
        made = _secret(_CODE)
        await self.keyring.offer_sign_in(
            organization=organization,
            member=member,
            code=made.id,
            secret_sha256=made.sha256,
            life=SIGN_IN_LIFE,
        )
        return made.text

    async def sign_in(self, code: str, origin: Origin = NOWHERE) -> tuple[UUID, Caller]:
        """Return a code's id and who it lets in; raise `Unauthenticated` for a bad one."""
        match = _SECRET.fullmatch(code)
        found = await self.keyring.sign_in(UUID(match[2])) if match else None
        if match is None or found is None or not _is_same(match[3], found[2]):
            raise Unauthenticated("this link was used before, or is too old; get a new one")
        credential = await self.keyring.credential_of(found[0], found[1])
        if credential is None or not credential.is_valid:
            raise Unauthenticated("this link is of somebody who isn't a member any more")
        return UUID(match[2]), _caller(credential, None, origin)


def secret(kind: SecretKind) -> Secret:
    """Return a new secret of this kind."""
    return _secret(_PREFIXES[kind])


def _secret(prefix: str) -> Secret:
    id_, text = new_id(), secrets.token_urlsafe(32)
    return Secret(id_, f"{prefix}_{id_.hex}_{text}", hashlib.sha256(text.encode()).digest())


def _is_same(given: str, kept: bytes) -> bool:
    return hmac.compare_digest(hashlib.sha256(given.encode()).digest(), kept)


def _caller(credential: Credential, shown: SecretKind | None, origin: Origin) -> Caller:
    return Caller(
        organization=credential.organization,
        token=credential.id,
        principal=credential.principal,
        name=credential.name,
        rights=credential.rights,
        kind=credential.kind,
        shown=shown,
        link=credential.link,
        origin=origin,
    )
