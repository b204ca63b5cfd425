"""The one door from a bearer token to the organization it speaks for."""

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from uuid import UUID

from laydown.domain.errors import Unauthenticated
from laydown.domain.upload import OrganizationId
from laydown.ports import Keyring
from laydown.services.identifiers import new_id

_TOKEN = re.compile(r"ldn_([0-9a-f]{32})_([A-Za-z0-9_-]{43})", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who is asking, and for which organization."""

    organization: OrganizationId
    token: UUID


@dataclass(frozen=True, kw_only=True)
class Identity:
    """Knows tokens `ldn_<id>_<secret>`; only the SHA-256 of a secret is kept.

    The secret has 256 random bits, so a fast hash is enough: there is nothing to guess.
    """

    keyring: Keyring

    async def caller(self, bearer: str) -> Caller:
        """Return who a token speaks for; raise `Unauthenticated` for any that isn't valid now."""
        match = _TOKEN.fullmatch(bearer)
        if match is None:
            raise Unauthenticated("that is not a laydown token; they look like ldn_<id>_<secret>")
        credential = await self.keyring.credential(UUID(match[1]))
        given = hashlib.sha256(match[2].encode()).digest()
        kept = credential.secret_sha256 if credential else bytes(32)
        if not hmac.compare_digest(given, kept) or credential is None or not credential.is_valid:
            raise Unauthenticated("this token is unknown, revoked or expired; get a new one")
        return Caller(organization=credential.organization, token=credential.token)

    async def is_valid(self, caller: Caller) -> bool:
        """Say whether the caller's token still holds."""
        credential = await self.keyring.credential(caller.token)
        return credential is not None and credential.is_valid

    async def issue(self, *, organization: str, name: str) -> str:
        """Return a new token of an organization, which is made if absent. It is shown once."""
        token, secret = new_id(), secrets.token_urlsafe(32)
        await self.keyring.issue(
            organization=organization,
            name=name,
            token=token,
            secret_sha256=hashlib.sha256(secret.encode()).digest(),
        )
        return f"ldn_{token.hex}_{secret}"
