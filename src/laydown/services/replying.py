"""One answer to a request, however often it is asked: by the key that came with it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from laydown.domain.errors import IdempotencyInProgress, IdempotencyKeyReused
from laydown.domain.upload import OrganizationId
from laydown.ports import Replies
from laydown.services.identifiers import new_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """The right to do what was asked, and to say what the answer is."""

    organization: OrganizationId
    key: bytes
    claim: UUID


@dataclass(frozen=True, kw_only=True)
class Replying:
    """Keeps answers for as long as callers may ask again. What they say, it can't read."""

    replies: Replies
    repeated: Callable[[], None]  # told of each answer that is given again
    life: timedelta = timedelta(hours=24)

    async def begin(
        self, organization: OrganizationId, key: bytes, fingerprint: bytes
    ) -> Turn | bytes:
        """Return the turn of a request with this key, or the answer that was kept for it.

        *key* and *fingerprint*, of what is asked and who asks, are SHA-256 digests.
        Raises `IdempotencyKeyReused` when they don't belong together, and
        `IdempotencyInProgress` while the first such request is not answered.
        """
        turn = Turn(organization=organization, key=key, claim=new_id())
        earlier = await self.replies.claim(organization, key, fingerprint, claim=turn.claim)
        if earlier is None:
            return turn
        if earlier.fingerprint != fingerprint:
            raise IdempotencyKeyReused
        if earlier.sealed is None:
            raise IdempotencyInProgress
        self.repeated()
        return earlier.sealed

    async def answered(self, turn: Turn, sealed: bytes) -> None:
        """Keep the answer, which only the caller can read."""
        await self.replies.keep(
            turn.organization, turn.key, sealed, claim=turn.claim, life=self.life
        )

    async def gave_up(self, turn: Turn) -> None:
        """Let the next request with this key have the turn: this one came to nothing final."""
        await self.replies.release(turn.organization, turn.key, claim=turn.claim)
