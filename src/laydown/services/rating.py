"""Holding callers to their rates, at no cost to those who keep to them."""

import asyncio
import math
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID, uuid5

from laydown.domain.rates import Rate
from laydown.domain.upload import OrganizationId
from laydown.ports import Allowances, Draught
from laydown.services.identity import Caller

KEPT_ANSWERS = Rate(1, 10_000)
"""How many answers an organization may have kept: each takes room for a day, so 96,400 at most."""

_REST = 0.5  # seconds between looks into a bucket that is empty
_PURSES = 10_000  # that are kept; the rest of one that is dropped is lost to its caller


class Bucket(StrEnum):
    """Whose requests are counted together."""

    TOKEN = "token"  # noqa: S105 - of one token, drop link or session
    ORGANIZATION = "organization"
    KEYS = "keys"  # idempotency keys of an organization


@dataclass(frozen=True, slots=True)
class Standing:
    """How a caller stands with one bucket, as far as this process knows."""

    bucket: Bucket
    rate: Rate
    left: int  # requests that would be let through now
    wait: int  # seconds; 0 unless this bucket is the one that refuses

    @property
    def full_in(self) -> int:
        """Seconds until the bucket is full, if nothing more is taken."""
        return math.ceil((self.rate.burst - self.left) / self.rate.per_second)


@dataclass(slots=True)
class _Purse:
    """What this process has taken from one bucket, and not spent yet."""

    bucket: Bucket
    rate: Rate
    id: UUID
    units: int = 0
    rest: float = 0.0  # units in the bucket itself
    seen_at: float = 0.0  # when it had so many
    empty_until: float = -math.inf  # before that, looking into it is of no use
    drawing: asyncio.Lock = field(default_factory=asyncio.Lock)

    def standing(self, now: float, *, is_refusing: bool) -> Standing:
        filled = self.rest + (now - self.seen_at) * self.rate.per_second
        left = 0 if is_refusing else min(self.rate.burst, self.units + math.floor(filled))
        wait = max(1, math.ceil(self.empty_until - now)) if is_refusing else 0
        return Standing(self.bucket, self.rate, left, wait)

    def put_in(self, draught: Draught, now: float) -> None:
        self.units += draught.units
        self.rest, self.seen_at = draught.left, now
        if not draught.units:
            self.empty_until = now + max(_REST, (1 - draught.left) / self.rate.per_second)


@dataclass(frozen=True, kw_only=True)
class Rating:
    """Lets through so many requests of a token, and of an organization, and no more.

    The buckets are shared by all processes. Each draws from them for a while ahead, so that a
    request costs a look at memory; one that found a bucket empty refuses for a moment without
    asking again. None: no limit.
    """

    allowances: Allowances
    per_token: Rate | None
    per_organization: Rate | None
    kept_answers: Rate = KEPT_ANSWERS
    refused: Callable[[str], None]  # told which bucket was empty
    _purses: OrderedDict[UUID, _Purse] = field(default_factory=OrderedDict)

    async def spend(self, caller: Caller) -> tuple[Standing, ...]:
        """Take one request from each of the caller's buckets, or from none.

        Returns how they stand; the one that refuses, if any, says for how long.
        Raises `LedgerUnavailable`.
        """
        return await self._spend(caller.organization, self._of(caller))

    async def spend_key(self, caller: Caller) -> tuple[Standing, ...]:
        """Take the place of one kept answer, as `spend` takes a request."""
        organization = caller.organization
        purse = self._purse(Bucket.KEYS, uuid5(organization, Bucket.KEYS), self.kept_answers)
        return await self._spend(organization, [purse])

    async def _spend(
        self, organization: OrganizationId, purses: Sequence[_Purse]
    ) -> tuple[Standing, ...]:
        while True:
            now = _now()
            empty = next((purse for purse in purses if not purse.units), None)
            if empty is None:
                for purse in purses:
                    purse.units -= 1
                return tuple(purse.standing(now, is_refusing=False) for purse in purses)
            if now < empty.empty_until:
                self.refused(empty.bucket)
                return tuple(purse.standing(now, is_refusing=purse is empty) for purse in purses)
            await self._draw(organization, empty)

    async def _draw(self, organization: OrganizationId, purse: _Purse) -> None:
        async with purse.drawing:  # one for all who wait
            if purse.units or _now() < purse.empty_until:
                return
            rate = purse.rate
            purse.put_in(
                await self.allowances.draw(organization, purse.id, rate, rate.draught), _now()
            )

    def _of(self, caller: Caller) -> list[_Purse]:
        found = []
        if self.per_token is not None:
            found.append(self._purse(Bucket.TOKEN, caller.token, self.per_token))
        if self.per_organization is not None:
            found.append(
                self._purse(Bucket.ORGANIZATION, caller.organization, self.per_organization)
            )
        return found

    def _purse(self, bucket: Bucket, id_: UUID, rate: Rate) -> _Purse:
        purse = self._purses.get(id_)
        if purse is None:
            purse = self._purses[id_] = _Purse(bucket, rate, id_)
            if len(self._purses) > _PURSES:
                self._purses.popitem(last=False)
        else:
            self._purses.move_to_end(id_)
        return purse


def _now() -> float:
    return asyncio.get_running_loop().time()
