"""The job feed on SQS: the queue says which jobs there are, the ledger who has them."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Protocol
from uuid import UUID

from laydown.domain.errors import QueueUnavailable
from laydown.domain.jobs import ClaimedJob
from laydown.queues.client import LONGEST_WAIT, Message, Queue
from laydown.queues.messages import announced_of
from laydown.queues.strangers import Strangers


class Leases(Protocol):
    """Leases on jobs by id, in the ledger; each says which jobs it was true for."""

    async def check(self) -> None:
        """Raise `LedgerUnavailable` while the ledger does not answer."""
        ...

    async def claim(
        self, ids: Sequence[UUID], *, worker: UUID, lease: timedelta
    ) -> Sequence[ClaimedJob]:
        """Lease those that exist, are due, alive and not held by anybody."""
        ...

    async def extend(
        self, jobs: Sequence[ClaimedJob], *, worker: UUID, lease: timedelta
    ) -> Sequence[UUID]:
        """Hold them for longer."""
        ...

    async def finish(self, jobs: Sequence[ClaimedJob], *, worker: UUID) -> Sequence[UUID]:
        """Remove them, done."""
        ...

    async def fail(
        self, job: ClaimedJob, *, worker: UUID, error: str, retry_in: timedelta | None
    ) -> Sequence[UUID]:
        """Let it wait, or be dead; it is to be announced again when it is due."""
        ...

    async def postpone(
        self, jobs: Sequence[ClaimedJob], *, worker: UUID, why: str, retry_in: timedelta
    ) -> Sequence[UUID]:
        """Let them wait; they are to be announced again when they are due."""
        ...


class SqsFeed:
    """A `JobFeed` whose jobs a relay announces in a queue.

    A message is only a hint: what it names is looked up, and claimed if it is there to be claimed.
    So duplicates, late and reordered messages change nothing, and one that is lost is sent again by
    the relay. *wait* is how long a claim waits for the first job when there is none.
    """

    def __init__(
        self, queue: Queue, leases: Leases, *, strangers: Strangers, wait: timedelta = LONGEST_WAIT
    ) -> None:
        self._queue = queue
        self._leases = leases
        self._strangers = strangers
        self._wait = wait
        self._receipts: dict[UUID, str] = {}
        # One claim at a time waits for messages, so that those that come together stay together.
        self._one_at_a_time = asyncio.Lock()

    async def claim(self, *, worker: UUID, limit: int, lease: timedelta) -> Sequence[ClaimedJob]:
        """Lease waiting jobs to this worker; may be cancelled, at the price of a lease each.

        The relay sees to it that each organization gets its share. Nothing is taken from the queue
        while the ledger is away: messages that are taken too often are set aside.
        """
        async with self._one_at_a_time:
            await self._leases.check()
            messages = await self._queue.gather(limit, wait=self._wait, hidden_for=lease)
        receipts, spare, strange = _sorted(messages)
        claimed: Sequence[ClaimedJob] = []
        if receipts:
            claimed = await self._leases.claim(list(receipts), worker=worker, lease=lease)
        for job in claimed:
            self._receipts[job.id] = receipts.pop(job.id)
        with suppress(QueueUnavailable):  # they come again, and are looked up again
            await self._queue.delete([*spare, *receipts.values()])
        await self._strangers.meet(self._queue, strange)
        return claimed

    async def extend(self, jobs: Sequence[ClaimedJob], *, worker: UUID, lease: timedelta) -> None:
        """Hold them for longer, and keep their messages from coming again meanwhile."""
        held = await self._leases.extend(jobs, worker=worker, lease=lease)
        receipts = [self._receipts[each] for each in held if each in self._receipts]
        await self._queue.hide(receipts, hidden_for=lease)

    async def finish(self, jobs: Sequence[ClaimedJob], *, worker: UUID) -> None:
        """Remove them, done; their messages go once the ledger knows."""
        receipts = self._taken_out(jobs)
        await self._drop(receipts, await self._leases.finish(jobs, worker=worker))

    async def fail(
        self, job: ClaimedJob, *, worker: UUID, error: str, retry_in: timedelta | None
    ) -> None:
        """Let it wait and be tried again; None: it is dead, and listed as such."""
        receipts = self._taken_out([job])
        done = await self._leases.fail(job, worker=worker, error=error, retry_in=retry_in)
        await self._drop(receipts, done)

    async def postpone(
        self, jobs: Sequence[ClaimedJob], *, worker: UUID, why: str, retry_in: timedelta
    ) -> None:
        """Let them wait for something that is away, which is no failure of theirs."""
        receipts = self._taken_out(jobs)
        done = await self._leases.postpone(jobs, worker=worker, why=why, retry_in=retry_in)
        await self._drop(receipts, done)

    def _taken_out(self, jobs: Sequence[ClaimedJob]) -> Mapping[UUID, str]:
        """Forget the receipts of jobs that come to an end here, whatever the ledger says to it."""
        return {job.id: self._receipts.pop(job.id) for job in jobs if job.id in self._receipts}

    async def _drop(self, receipts: Mapping[UUID, str], ours: Sequence[UUID]) -> None:
        """Delete the messages of jobs that were ours; those that we had lost are others' now."""
        await self._queue.delete([receipts[each] for each in ours if each in receipts])


def _sorted(
    messages: Sequence[Message],
) -> tuple[dict[UUID, str], Sequence[str], Sequence[Message]]:
    """Return the receipt for each job, those of further copies, and messages that aren't ours."""
    receipts: dict[UUID, str] = {}
    copies: list[str] = []
    strange: list[Message] = []
    for message in messages:
        try:
            announced = announced_of(message.body)
        except ValueError:
            strange.append(message)
            continue
        if announced.id in receipts:
            copies.append(message.receipt)
        else:
            receipts[announced.id] = message.receipt
    return receipts, copies, strange
