"""How work and news reach workers: jobs, the queue that announces them, the store's notices."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Protocol, TypeAlias
from uuid import UUID

from laydown.domain.jobs import ClaimedJob
from laydown.domain.scanning import Scan
from laydown.domain.upload import ObjectName, OrganizationId


class JobFeed(Protocol):
    """Jobs to be done, fair between organizations. Doing one twice must be harmless."""

    async def claim(self, *, worker: UUID, limit: int, lease: timedelta) -> Sequence[ClaimedJob]:
        """Lease waiting jobs to this worker; each organization gets its share of them."""
        ...

    async def extend(self, jobs: Sequence[ClaimedJob], *, worker: UUID, lease: timedelta) -> None:
        """Hold them for longer."""
        ...

    async def finish(self, jobs: Sequence[ClaimedJob], *, worker: UUID) -> None:
        """Remove them, done."""
        ...

    async def fail(
        self, job: ClaimedJob, *, worker: UUID, error: str, retry_in: timedelta | None
    ) -> None:
        """Let it wait and be tried again; None: it is dead, and listed as such."""
        ...

    async def postpone(
        self, jobs: Sequence[ClaimedJob], *, worker: UUID, why: str, retry_in: timedelta
    ) -> None:
        """Let them wait for something that is away, which is no failure of theirs."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Announced:
    """A job as a queue carries it: who it is for, and its id; everything else is in the ledger."""

    id: UUID
    organization: OrganizationId
    trace: str | None = None  # as `traceparent` has it


class Outbox(Protocol):
    """Jobs whose ids a queue has yet to carry, or to carry again."""

    async def unsent(self, *, limit: int) -> Sequence[Announced]:
        """Return due jobs to be announced, fair between organizations, none with too many out."""
        ...

    async def mark_sent(self, jobs: Sequence[Announced]) -> None:
        """Note that they were announced; sending one twice is harmless, forgetting one is not."""
        ...


class QueueSender(Protocol):
    """Where the relay sends ids."""

    async def send(self, jobs: Sequence[Announced]) -> Sequence[Announced]:
        """Send these; return those that the queue took. Raises `QueueUnavailable`."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """The store has an object."""

    name: ObjectName
    size: int | None  # bytes, where the store says


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """A scanner beside the store has judged an object."""

    name: ObjectName
    scan: Scan


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One message of the store or its scanner; what says nothing to us is empty."""

    receipt: str  # what the queue wants to be told when it is dealt with
    facts: Sequence["Fact"]


Fact: TypeAlias = Arrival | Judgement


class NoticeFeed(Protocol):
    """What the store and its scanner say, at least once, in any order."""

    async def receive(self) -> Sequence[Notice]:
        """Wait a while for messages; messages that aren't ours are logged, counted, and dropped."""
        ...

    async def settle(self, notices: Sequence[Notice]) -> None:
        """Drop messages that are dealt with; others come again."""
        ...


class Office(StrEnum):
    """Work that one process at a time does for all."""

    RELAY = "relay"
    SWEEPER = "sweeper"


class Election(Protocol):
    """Gives an office to one process at a time, and to another when that one is gone."""

    async def serve(
        self,
        office: Office,
        work: Callable[[asyncio.Event], Awaitable[None]],
        *,
        stop: asyncio.Event,
    ) -> None:
        """Stand for *office* until *stop*; while elected, run *work*.

        *work* gets an event that is set when it must end: on *stop*, or when the office is lost.
        """
        ...
