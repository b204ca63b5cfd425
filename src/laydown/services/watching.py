"""Watching: what people see of batches and uploads, live or at a glance."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TypeAlias

from laydown.domain.access import Act
from laydown.domain.batch import Batch, Tally
from laydown.domain.happening import Recorded
from laydown.domain.upload import BatchId, ProjectId, UploadId
from laydown.ports import BatchFilter, Ledger, Page, UploadFilter, UploadRecord
from laydown.services.access import batch_for, seen_batch, sees, upload_for
from laydown.services.audience import Audience
from laydown.services.identity import Caller, Identity
from laydown.services.tailing import Tail

_TALLY_EVERY = 1.0  # seconds between counts of a batch, however many watch it


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """A batch at one moment, and the number of the last event it includes."""

    number: int
    batch: Batch
    tally: Tally


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """A batch's new totals, and the number of the last event they include."""

    number: int
    batch: Batch
    tally: Tally


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed:
    """The batch is closed and every upload is settled: nothing follows."""

    number: int
    batch: Batch
    tally: Tally


Seen: TypeAlias = Snapshot | Recorded | Progress | Closed


@dataclass(slots=True)
class _Glance:
    """A batch's totals, shared by all who watch it."""

    taken_at: float
    number: int  # the last event it includes
    batch: Batch
    tally: Tally

    @property
    def progress(self) -> tuple[int, int]:
        """What only grows: the newest event, and the bytes that came without one."""
        return self.number, self.tally.received

    @property
    def is_over(self) -> bool:
        """Whether nothing more can happen in the batch, but for a retry."""
        return not self.batch.is_open and self.tally.is_settled


@dataclass(frozen=True, kw_only=True)
class Watching:
    """Use cases of those who look."""

    ledger: Ledger
    tail: Tail
    identity: Identity
    audience: Audience
    token_every: float = 10.0  # seconds between looks whether a viewer's token still holds
    _glances: dict[BatchId, _Glance] = field(default_factory=dict)

    async def batch(self, caller: Caller, batch_id: BatchId) -> tuple[Batch, Tally]:
        """Return a batch and its numbers, of one moment; raise `NotFound`."""
        async with self.ledger.snapshot(caller.organization) as tx:
            return await seen_batch(tx, caller, batch_id), await tx.tally(batch_id)

    async def batches(
        self, caller: Caller, page: Page, *, project: ProjectId | None
    ) -> Sequence[tuple[Batch, Tally]]:
        """Return batches that the caller sees, newest first; the cursor is a batch's id."""
        which = BatchFilter(
            principal=caller.principal,
            visible=caller.rights.where(Act.SEE_DELIVERIES),
            own=caller.rights.where(Act.SEE_OWN_DELIVERIES),
        )
        async with self.ledger.snapshot(caller.organization) as tx:
            batches = await tx.batches(page, which, project=project)
            return [(batch, await tx.tally(batch.id)) for batch in batches]

    async def uploads(
        self, caller: Caller, batch_id: BatchId, page: Page, which: UploadFilter
    ) -> tuple[Sequence[UploadRecord], int]:
        """Return uploads in order of declaration, and the number of the last event they include.

        The cursor is an upload's order.
        """
        async with self.ledger.snapshot(caller.organization) as tx:
            await seen_batch(tx, caller, batch_id)
            return await tx.records(batch_id, page, which), await tx.head()

    async def upload(self, caller: Caller, upload_id: UploadId) -> UploadRecord:
        """Return an upload, or raise `NotFound`."""
        async with self.ledger.snapshot(caller.organization) as tx:
            return await upload_for(tx, caller, Act.SEE_OWN_DELIVERIES, upload_id)

    async def timeline(
        self, caller: Caller, upload_id: UploadId
    ) -> tuple[UploadRecord, Sequence[Recorded]]:
        """Return an upload and everything logged about it, oldest first."""
        async with self.ledger.snapshot(caller.organization) as tx:
            record = await upload_for(tx, caller, Act.SEE_OWN_DELIVERIES, upload_id)
            return record, await tx.happened(upload_id)

    async def watch(
        self, caller: Caller, batch_id: BatchId, *, after: int | None
    ) -> AsyncIterator[Seen]:
        """Yield what happens in a batch: a snapshot, then every change and the totals.

        With *after*, changes begin behind that number and there is no snapshot, unless the
        number is none we gave. Ends after `Closed`, when the caller may not see it
        any more, or when the server stops. Before anything is yielded, raises `NotFound`, and
        `RateLimited` or `Overloaded` when too many watch.
        """
        async with self.audience.place(caller), self.tail.watch(caller.organization) as reel:
            first = await self._look(caller, batch_id)
            batch_for(caller, Act.SEE_OWN_DELIVERIES, first.batch)
            shown: Tally | None = None
            number = first.number if after is None else after
            if after is None or after > first.number:
                number, shown = first.number, first.tally
                yield Snapshot(number=number, batch=first.batch, tally=first.tally)
            checked_at = _now()
            while not self.tail.stopping.is_set():
                grown = reel.grown  # taken before reading: what comes meanwhile ends the wait
                events = await self.tail.since(reel, caller.organization, number)
                for event in events:
                    number = event.number
                    if event.happening.batch == batch_id:
                        yield event
                now = await self._glance(caller, batch_id)
                if now.tally != shown:
                    shown = now.tally
                    yield Progress(number=now.number, batch=now.batch, tally=now.tally)
                if now.is_over and number >= now.number:
                    yield Closed(number=now.number, batch=now.batch, tally=now.tally)
                    return
                if _now() - checked_at >= self.token_every:
                    checked_at = _now()
                    if not await self._still_sees(caller, first.batch):
                        return
                if not events:
                    await _growth(grown)

    async def _still_sees(self, caller: Caller, batch: Batch) -> bool:
        """Say whether what the caller showed still holds, and still allows this."""
        now = await self.identity.again(caller)
        return now is not None and sees(now, batch)

    async def _glance(self, caller: Caller, batch_id: BatchId) -> _Glance:
        """Return a batch's totals, counted at most once a second for all its viewers."""
        glance = self._glances.get(batch_id)
        if glance is None or _now() - glance.taken_at >= _TALLY_EVERY:
            return await self._look(caller, batch_id)
        return glance

    async def _look(self, caller: Caller, batch_id: BatchId) -> _Glance:
        """Return a batch, its totals and the newest event's number, all of one moment.

        What every viewer sees next is never older, so that totals don't go backwards.
        """
        async with self.ledger.snapshot(caller.organization) as tx:
            glance = _Glance(
                taken_at=_now(),
                number=await tx.head(),
                batch=await tx.batch(batch_id),
                tally=await tx.tally(batch_id),
            )
        seen = self._glances.get(batch_id)
        if seen is not None and seen.progress > glance.progress:
            return seen
        self._glances[batch_id] = glance
        for stale in [
            id_
            for id_, each in self._glances.items()
            if each.taken_at < glance.taken_at - 60 * _TALLY_EVERY
        ]:
            del self._glances[stale]
        return glance


async def _growth(grown: asyncio.Event) -> None:
    """Wait for new events, at most until totals are due again."""
    with suppress(TimeoutError):
        async with asyncio.timeout(_TALLY_EVERY):
            await grown.wait()


def _now() -> float:
    return asyncio.get_running_loop().time()
