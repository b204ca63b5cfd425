"""What processes share to hold callers to their rates, and to answer a repeated request alike."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol
from uuid import UUID

from laydown.domain.rates import Rate
from laydown.domain.upload import OrganizationId


@dataclass(frozen=True, slots=True, kw_only=True)
class Draught:
    """What was taken from a bucket."""

    units: int  # 0: the bucket is empty
    left: float  # units that are still in it


class Transient(Protocol):
    """Something that is of no use after a while."""

    async def forget(self, *, limit: int) -> int:
        """Delete what is of no use any more, so many rows at most; return how many."""
        ...


class Allowances(Transient, Protocol):
    """Buckets of requests, shared by all processes.

    Raises `LedgerUnavailable`. A crash of the database fills all of them.
    """

    async def draw(
        self, organization: OrganizationId, bucket: UUID, rate: Rate, units: int
    ) -> Draught:
        """Take so many units from a bucket, or all it has; one that nobody drew from is full."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Precedent:
    """An earlier request with the same key."""

    fingerprint: bytes  # of what was asked, and by whom
    sealed: bytes | None  # its answer as the caller alone can read it; None: there is none yet


class Replies(Transient, Protocol):
    """Answers to requests that carry a key, by organization and digest of the key.

    A claim that is neither kept nor released lapses, because whoever made it may be dead.
    Raises `LedgerUnavailable`.
    """

    async def claim(
        self, organization: OrganizationId, key: bytes, fingerprint: bytes, *, claim: UUID
    ) -> Precedent | None:
        """Claim a key for a request, or return the earlier one that has it. Only one claims."""
        ...

    async def keep(
        self,
        organization: OrganizationId,
        key: bytes,
        sealed: bytes,
        *,
        claim: UUID,
        life: timedelta,
    ) -> None:
        """Keep the answer of the request that made this claim, if it still holds."""
        ...

    async def release(self, organization: OrganizationId, key: bytes, *, claim: UUID) -> None:
        """Forget a claim without an answer, if it still holds."""
        ...
