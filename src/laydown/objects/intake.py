"""The way in: who may write which part, and how much at once."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Self

from laydown.domain.digest import Checksum
from laydown.domain.errors import PartBusy, Stopping, StoreUnavailable
from laydown.domain.upload import OrganizationId, UploadId
from laydown.objects.budget import Budget
from laydown.objects.checksum import Meter
from laydown.objects.destination import Destination, NewObject, Nowhere, StagedRange
from laydown.objects.disk import DiskStore
from laydown.objects.group import GroupCommit, Recorder
from laydown.objects.landing import Desk, Landing, Slot
from laydown.objects.layout import Attempt
from laydown.objects.recorded import LandedQuery, RecordedParts
from laydown.objects.stats import IntakeStats
from laydown.ports import Kept

_WRITERS = 4  # threads that write long bodies: a few keep any disk busy
_STALLED = 1.0  # seconds without a byte, after which a body of unknown length goes to the disk


@dataclass(frozen=True, slots=True, kw_only=True)
class IntakeLimits:
    """How much memory bodies take."""

    buffer: int = 1 << 20  # bytes of one body; a longer one holds two buffers
    budget: int = 32 << 20  # bytes of all bodies together


class _Spilling:
    """Lets a body whose bytes stop coming hold no memory."""

    def __init__(self, landing: Landing) -> None:
        self._landing = landing
        self._seen = 0  # bytes, at the last look
        self._loop = asyncio.get_running_loop()
        self._timer = self._loop.call_later(_STALLED, self._look)

    def end(self) -> None:
        """Look no more."""
        self._timer.cancel()

    def _look(self) -> None:
        if self._landing.received == self._seen:
            self._landing.spill()
        self._seen = self._landing.received
        self._timer = self._loop.call_later(_STALLED, self._look)


class Intake:
    """Takes bodies into a store that this process owns.

    One body at a time writes a part. A part that is recorded is never written again: for the same
    part once more only its checksum is computed, and the recorder compares. Nothing here asks the
    ledger before a body is whole, except once for each upload in parts that this process meets.
    """

    def __init__(
        self,
        store: DiskStore,
        *,
        recorder: Recorder,
        landed: LandedQuery,
        limits: IntakeLimits | None = None,
    ) -> None:
        limits = limits or IntakeLimits()
        self.stats = IntakeStats()
        self.budget = Budget(limits.budget)
        self._store = store
        self._recorded = RecordedParts(landed)
        self._group = GroupCommit(
            store, recorder=recorder, recorded=self._recorded, stats=self.stats
        )
        self._writers = ThreadPoolExecutor(_WRITERS, thread_name_prefix="laydown-write")
        self._claims: set[tuple[UploadId, int, int]] = set()
        self._drafts = itertools.count()
        self._is_stopping = False
        self._is_quiet = asyncio.Event()
        self._is_quiet.set()
        self._desk = Desk(
            budget=self.budget,
            buffer=limits.buffer,
            writers=self._writers,
            choose=self._choose,
            choose_now=self._choose_now,
            commit=self._group.add,
            release=self._release,
        )

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Self]:
        """Commit what arrives while the block runs; leaving it finishes what is whole."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._group.run())
            try:
                yield self
            finally:
                self._is_stopping = True
                self._group.close()
        self._writers.shutdown()

    @property
    def in_flight(self) -> int:
        """How many bodies are on their way."""
        return len(self._claims)

    def admit(
        self,
        organization: OrganizationId,
        upload: UploadId,
        attempt: int,
        number: int,
        *,
        offset: int | None,
        length: int,
        promised: Checksum | None,
    ) -> Landing:
        """Let one body write this part; the caller must `commit` or `abandon` it.

        *offset* is where it belongs in a file that arrives in parts, in bytes; None when it is
        the whole file. Raises `PartBusy`, `Stopping`, `StoreUnavailable`.
        """
        slot = Slot(
            attempt=Attempt(organization, upload, attempt),
            number=number,
            offset=offset,
            length=length,
        )
        return self._admitted(slot, Meter(promised))

    async def keep(self, key: str, chunks: AsyncIterator[bytes | memoryview]) -> Kept:
        """Make these bytes the object of this key, durable when this returns; see `ByteSink`."""
        slot = Slot(attempt=Attempt.of_key(key), number=1, offset=None, length=None)
        landing = self._admitted(slot, Meter(None, takes_sha256=True))
        spilling = _Spilling(landing)
        try:
            await landing.open()
            async for chunk in chunks:
                if landing.take(chunk):
                    await landing.breathe()
            await landing.commit()
        finally:
            spilling.end()
            await landing.abandon()
        return Kept(size=landing.received, sha256=landing.meter.sha256, crc64nvme=landing.crc64nvme)

    def _admitted(self, slot: Slot, meter: Meter) -> Landing:
        if self._is_stopping:
            raise Stopping("the server is shutting down; send the part again in a moment")
        if not self._store.is_healthy:
            raise StoreUnavailable("the disk failed; nothing is stored until an operator looks")
        claim = (slot.attempt.upload, slot.attempt.number, slot.number)
        if claim in self._claims:
            raise PartBusy("another request is writing this part")
        self._claims.add(claim)
        self._is_quiet.clear()
        self.stats.bodies += 1
        return Landing(slot, meter, self._desk)

    async def drain(self, *, timeout: float) -> bool:  # noqa: ASYNC109 - bounded, never cancelled
        """Admit nothing more; return whether all bodies ended within *timeout* seconds."""
        self._is_stopping = True
        try:
            async with asyncio.timeout(timeout):
                await self._is_quiet.wait()
        except TimeoutError:
            return False
        return True

    async def _choose(self, slot: Slot) -> Destination:
        destination = self._choose_now(slot)
        if destination is None and not await self._recorded.holds(slot.attempt, slot.number):
            assert slot.offset is not None
            path = self._store.layout.staged_path(slot.attempt)
            return StagedRange(path, offset=slot.offset)
        return destination or Nowhere()

    def _choose_now(self, slot: Slot) -> Destination | None:
        """Return the place of a whole file; what came of one in parts is for the ledger to say."""
        if slot.offset is not None:
            return None
        layout = self._store.layout
        return NewObject(
            f"{layout.incoming}/{next(self._drafts)}",
            layout.placed_path(slot.attempt),
            objects=layout.objects,
        )

    def _release(self, landing: Landing) -> None:
        slot = landing.slot
        self._claims.discard((slot.attempt.upload, slot.attempt.number, slot.number))
        self.stats.bytes_received += landing.received
        if not self._claims:
            self._is_quiet.set()
