"""Sessions: what a browser shows instead of a token."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from laydown.domain.audit import Deed
from laydown.domain.errors import Unauthenticated
from laydown.domain.upload import OrganizationId
from laydown.ports import IdentityProvider, Ledger, Returned, SecretKind, SignIn
from laydown.services.identity import NOWHERE, Caller, Identity, Origin, secret

SESSION_LIFE = timedelta(hours=12)
"""A working day; then somebody signs in again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A session that was just opened, and its text, which is shown to nobody again."""

    caller: Caller
    text: str
    ends_at: datetime


@dataclass(frozen=True, kw_only=True)
class Sessions:
    """Use cases of those who come with a browser."""

    ledger: Ledger
    identity: Identity

    @property
    def has_provider(self) -> bool:
        """Whether people can sign in at an identity provider."""
        return self.identity.provider is not None

    async def open(self, code: str, origin: Origin = NOWHERE) -> Opened:
        """Open a session with a one-time code; raise `Unauthenticated` for any that is no good."""
        code_id, caller = await self.identity.sign_in(code, origin)
        return await self.open_for(caller, code=code_id)

    async def begin(self, redirect_uri: str) -> SignIn:
        """Return where a browser signs in that shall come back to *redirect_uri*.

        Raises `Unauthenticated` where there is no identity provider, and `IssuerUnavailable`.
        """
        return await self._provider().begin_sign_in(redirect_uri)

    async def finish(
        self,
        begun: SignIn,
        returned: Returned,
        origin: Origin = NOWHERE,
        *,
        organization: OrganizationId | None = None,
    ) -> Opened:
        """Open a session for whoever comes back from a sign-in that was begun.

        Raises `Unauthenticated`, `IssuerUnavailable`, and `Forbidden` as `Identity.member` does.
        """
        stranger = await self._provider().finish_sign_in(begun, returned)
        caller = await self.identity.member(stranger, origin, organization=organization)
        return await self.open_for(caller)

    async def open_for(self, caller: Caller, *, code: UUID | None = None) -> Opened:
        """Open a session for somebody who has proven who they are; a *code* is used up by it."""
        made = secret(SecretKind.SESSION)
        async with self.ledger.begin(caller.organization) as tx:
            ends_at = await tx.open_session(
                caller.principal,
                session=made.id,
                secret_sha256=made.sha256,
                life=SESSION_LIFE,
                code=code,
            )
            if ends_at is None:
                raise Unauthenticated("this link was used before; get a new one")
            await tx.note(caller.did(Deed.SIGNED_IN, subject=made.id))
        return Opened(caller=caller, text=made.text, ends_at=ends_at)

    async def end(self, caller: Caller) -> None:
        """End the caller's session; a token is not ended by this. Repeatable."""
        if caller.shown is not SecretKind.SESSION:
            return
        async with self.ledger.begin(caller.organization) as tx:
            await tx.end_session(caller.token)
            await tx.note(caller.did(Deed.SIGNED_OUT, subject=caller.token))

    def _provider(self) -> IdentityProvider:
        if self.identity.provider is None:
            raise Unauthenticated("this server has no identity provider to sign in at")
        return self.identity.provider
