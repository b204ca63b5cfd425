"""Sessions: what a browser shows instead of a token."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from laydown.domain.audit import Deed
from laydown.domain.errors import Unauthenticated
from laydown.ports import Ledger, SecretKind
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

    async def open(self, code: str, origin: Origin = NOWHERE) -> Opened:
        """Open a session with a one-time code; raise `Unauthenticated` for any that is no good."""
        code_id, caller = await self.identity.sign_in(code, origin)
        return await self.open_for(caller, code=code_id)

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
